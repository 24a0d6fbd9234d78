#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "cli/fail.h"
#include "cli/mistakes.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/predictor.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

struct ExplainOptions {
  std::string run;
  std::string image;
  std::string to;
};

/// Throws Error (user) with the reason if a run with groups has no mixture.
void require_mixture(const std::string& path) {
  if (!is_folder(path)) return;
  const RunFolder run = RunFolder::open(path);
  if (!run.read_experiment().groups.empty()) run.read_mixture();
}

/// Returns answers for one example; parts of other groups have none.
Answers answers_of(const Prediction& prediction, const Predictor& predictor) {
  const Groups groups(predictor.groups(), predictor.class_names());
  const Prediction::Route& route = *prediction.route;
  Answers answers;
  answers.class_names = predictor.class_names();
  answers.group_names = groups.names();
  answers.group_of_class = groups.of_classes();
  answers.truth = {0};
  answers.frozen = prediction.frozen;
  answers.baseline = route.baseline;
  answers.gate = route.gate;
  answers.experts.resize(answers.group_names.size());
  answers.experts[route.group] = route.expert;
  answers.importances.resize(answers.group_names.size());
  answers.importances[route.group] = route.importance;
  return answers;
}

void explain(const ExplainOptions& options) {
  require_mixture(options.run);
  const Predictor predictor(options.run, {.batch = 1});
  if (predictor.groups().empty()) {
    throw user_error("explain",
                     "{0} is a network without a gate to explain: `sluice predict {0} "
                     "PICTURE` gives its prediction",
                     path_text(options.run));
  }
  if (!options.to.empty()) require_replaceable(options.to, kPage);
  if (!options.to.empty() && !predictor.has_frozen()) {
    throw user_error("explain",
                     "{} has no baseline from before joint training, which the page needs: "
                     "leave out --to",
                     path_text(options.run));
  }
  const Image image = read_image(options.image, predictor.reading());
  const Prediction prediction = predictor.predict({&image, 1}).front();
  const Answers answers = answers_of(prediction, predictor);
  print_out("{}\n{}", options.image, explanation_text(answers, 0));
  if (options.to.empty()) return;
  const Shape& shape = predictor.input_shape();
  const LabelledImages images{shape, fitted(image, shape, predictor.resize()), {0}};
  write_file(options.to, explanation_html(answers, Examples(images, predictor.class_names()), 0,
                                          options.image));
  print_out("\npage: {}\n", options.to);
}

}  // namespace

void add_explain(CLI::App& app) {
  auto* verb = app.add_subcommand("explain", "Explain the mixture's prediction for a picture");
  verb->footer(R"(Prints the outputs of gate, baseline, expert and importance model.

Examples:
  sluice explain runs/lab samples/cat/0.png
  sluice explain runs/lab cat.jpg --to cat.html
  sluice explain runs/lab/mixture/model.safetensors cat.jpg)");
  const auto options = std::make_shared<ExplainOptions>();
  verb->add_option("RUN", options->run, "Folder of a run, or a mixture's model.safetensors")
      ->required();
  verb->add_option("IMAGE", options->image, "A picture's file")->required();
  verb->add_option("--to", options->to, "Also write it as a page")->type_name("FILE.html");
  verb->callback([options] { explain(*options); });
}

}  // namespace sluice::cli
