#include <fmt/format.h>

#include <numeric>

#include "base/files.h"
#include "eval/outputs.h"
#include "sluice/lab/run_folder.h"
#include "sluice/text.h"

namespace sluice {
namespace {

/// A classifier with a column for its class, and one for the probability of each class.
struct Classifier {
  std::string name;
  std::vector<float> scores;  ///< (examples, classes)
};

std::span<const float> row(const Answers& answers, const std::vector<float>& scores,
                           std::size_t example) {
  return std::span(scores).subspan(example * answers.classes(), answers.classes());
}

std::string header(const Answers& answers, const std::vector<Classifier>& classifiers) {
  std::string text = answers.group_names.empty() ? "image,truth" : "image,truth,gate";
  for (const Classifier& each : classifiers) text += "," + each.name;
  for (const std::string& group : answers.group_names) text += "," + csv_field("gate:" + group);
  for (const Classifier& each : classifiers) {
    for (const std::string& name : answers.class_names)
      text += "," + csv_field(each.name + ":" + name);
  }
  return text + ",file\n";
}

}  // namespace

std::string predictions_csv(const Answers& answers) {
  const std::size_t groups = answers.group_names.size();
  std::vector<Classifier> classifiers{{"baseline", answers.frozen}};
  if (groups > 0) classifiers.push_back({"mixture", answers.mixture()});
  for (const Answers::Control& control : answers.controls) {
    classifiers.push_back({control.name, control.scores});
  }
  std::string text = header(answers, classifiers);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto class_name = [&](int label) { return csv_field(answers.class_names[label]); };
    text += fmt::format("{},{}", i, class_name(answers.truth[i]));
    if (groups > 0) text += "," + csv_field(answers.group_names[answers.chosen_group(i)]);
    for (const Classifier& each : classifiers) {
      text += "," + class_name(predicted_class(row(answers, each.scores, i)));
    }
    for (std::size_t g = 0; g < groups; ++g)
      text += fmt::format(",{}", answers.gate[i * groups + g]);
    for (const Classifier& each : classifiers) {
      const std::span<const float> scores = row(answers, each.scores, i);
      const float sum = std::accumulate(scores.begin(), scores.end(), 0.f);
      for (const float score : scores) text += fmt::format(",{}", score / sum);
    }
    text += "," + csv_field(answers.file(i)) + "\n";
  }
  return text;
}

}  // namespace sluice
