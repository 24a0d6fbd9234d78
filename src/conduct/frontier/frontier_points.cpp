#include "conduct/frontier/frontier_points.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "conduct/frontier/exchanged_choices.h"
#include "conduct/frontier/mean_gates.h"
#include "eval/outputs.h"
#include "graph/thresholds.h"
#include "sluice/lab/verdict.h"

namespace sluice {

namespace {

using Kind = FrontierPoint::Kind;

/// Answers of a network for the images.
struct Scores {
  std::vector<float> validation;  ///< (images, classes)
  std::vector<float> test;
};

Scores scores_of(const Sequential& model, const Weights& weights, const FrontierImages& images,
                 const CompileOptions& options, Views views = Views::one) {
  return {ask_alone(model, weights, images.validation, options, views).frozen,
          ask_alone(model, weights, images.test, options, views).frozen};
}

double share_of(const std::vector<std::uint8_t>& marks) {
  const auto count = static_cast<double>(std::ranges::count(marks, 1));
  return count / static_cast<double>(marks.size());
}

/// A point with one seed; `flops` for a validation image and `test_flops` for a test image.
FrontierPoint point(Kind kind, const std::string& words,
                    const std::vector<std::uint8_t>& validation,
                    const std::vector<std::uint8_t>& test, double flops, double test_flops) {
  FrontierPoint one{.kind = kind, .words = words, .flops = flops};
  one.seeds.push_back({share_of(validation), test, test_flops});
  return one;
}

/// A first answer for every image, and a second one for some.
class TwoAnswers {
 public:
  TwoAnswers(const Scores& first, const Scores& second, const FrontierImages& images,
             double first_flops, double second_flops)
      : classes_(images.test.class_names().size()),
        first_validation_(which_right(first.validation, images.validation.labels())),
        first_test_(which_right(first.test, images.test.labels())),
        second_validation_(which_right(second.validation, images.validation.labels())),
        second_test_(which_right(second.test, images.test.labels())),
        validation_confidences_(confidences(first.validation)),
        test_confidences_(confidences(first.test)),
        first_flops_(first_flops),
        second_flops_(second_flops) {}

  /// The images of which the first answer is less sure than `threshold` get the second one.
  FrontierPoint by_threshold(Kind kind, const std::string& words, float threshold) const {
    return chosen(kind, words, below(threshold, validation_confidences_),
                  below(threshold, test_confidences_));
  }
  FrontierPoint by_share(Kind kind, const std::string& words, double share) const {
    return by_threshold(kind, words, threshold_for(thresholds_of(validation_confidences_), share));
  }
  /// The second answer for as many validation images as need `flops` for each image in the mean,
  /// and for test images that are as unsure.
  FrontierPoint by_flops(Kind kind, const std::string& words, double flops) const {
    std::vector<float> sorted = validation_confidences_;
    std::ranges::sort(sorted);
    const double share = std::clamp((flops - first_flops_) / second_flops_, 0.0, 1.0);
    const auto count = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
    return count == sorted.size() ? by_share(kind, words, 1)
                                  : by_threshold(kind, words, sorted[count]);
  }
  /// As many images as by the threshold, chosen at random, get the second one.
  FrontierPoint at_random(float threshold) const {
    const auto random = [&](const std::vector<float>& values, std::uint64_t stream) {
      const RandomStream numbers(0, Purpose::control, stream, 0);
      std::vector<std::uint8_t> marks = below(threshold, values);
      for (std::size_t i = marks.size(); i > 1; --i) {  // a shuffle
        const std::uint32_t bits = numbers.bits(static_cast<std::uint32_t>(i))[0];
        std::swap(marks[i - 1], marks[RandomStream::below(bits, static_cast<std::uint32_t>(i))]);
      }
      return marks;
    };
    return chosen(Kind::random, "images chosen at random", random(validation_confidences_, 0),
                  random(test_confidences_, 1));
  }

 private:
  std::vector<float> confidences(const std::vector<float>& scores) const {
    std::vector<float> all;
    for (std::size_t first = 0; first < scores.size(); first += classes_) {
      all.push_back(std::ranges::max(std::span(scores).subspan(first, classes_)));
    }
    return all;
  }

  /// 1 for each value below a threshold.
  static std::vector<std::uint8_t> below(float threshold, const std::vector<float>& values) {
    std::vector<std::uint8_t> marks;
    for (const float value : values) marks.push_back(value < threshold);
    return marks;
  }

  FrontierPoint chosen(Kind kind, const std::string& words,
                       const std::vector<std::uint8_t>& validation,
                       const std::vector<std::uint8_t>& test) const {
    const auto merged = [](const std::vector<std::uint8_t>& marks,
                           const std::vector<std::uint8_t>& first,
                           const std::vector<std::uint8_t>& second) {
      std::vector<std::uint8_t> right;
      for (std::size_t i = 0; i < marks.size(); ++i) {
        right.push_back(marks[i] != 0 ? second[i] : first[i]);
      }
      return right;
    };
    return point(kind, words, merged(validation, first_validation_, second_validation_),
                 merged(test, first_test_, second_test_),
                 first_flops_ + share_of(validation) * second_flops_,
                 first_flops_ + share_of(test) * second_flops_);
  }

  std::size_t classes_;
  // 1 for each image that is classified correctly.
  std::vector<std::uint8_t> first_validation_;
  std::vector<std::uint8_t> first_test_;
  std::vector<std::uint8_t> second_validation_;
  std::vector<std::uint8_t> second_test_;
  std::vector<float> validation_confidences_;
  std::vector<float> test_confidences_;
  double first_flops_;
  double second_flops_;
};

template <class Kind>
bool has_layer(const Sequential& model) {
  return std::ranges::any_of(
      model.layers, [](const Layer& layer) { return std::holds_alternative<Kind>(layer); });
}

/// The cascade in which a network ends, before its softmax; null for others.
Cascade* last_cascade(Sequential& model) {
  if (model.layers.size() < 2) return nullptr;
  return std::get_if<Cascade>(&model.layers[model.layers.size() - 2]);
}

std::vector<FrontierPoint> cascade_points(Sequential model, const Weights& weights,
                                          const FrontierImages& images,
                                          const CompileOptions& options) {
  Cascade& cascade = *last_cascade(model);
  const float own = threshold_for(thresholds_in(weights, cascade.name), cascade.share);
  cascade.share = 0;
  const Scores first = scores_of(model, weights, images, options);
  const double first_flops = count_flops(model);
  cascade.share = 1;
  const Scores last = scores_of(model, weights, images, options);
  const TwoAnswers answers(first, last, images, first_flops, count_flops(model) - first_flops);

  std::vector<FrontierPoint> points{answers.by_threshold(Kind::mixture, "mixture", own)};
  for (const double share : {0.0, 0.1, 0.25, 0.5, 1.0}) {
    points.push_back(
        answers.by_share(Kind::share, fmt::format("{:.0f}% go on", 100 * share), share));
  }
  points.push_back(answers.at_random(own));
  return points;
}

}  // namespace

std::vector<FrontierPoint> dense_points(const SavedModel& saved, const FrontierImages& images,
                                        double most_flops, const CompileOptions& options) {
  const Scores one = scores_of(saved.model, saved.weights, images, options);
  const Scores both = scores_of(saved.model, saved.weights, images, options, Views::mirror);
  const double flops = count_flops(saved.model);
  const TwoAnswers answers(one, both, images, flops, flops);
  std::vector<FrontierPoint> points{answers.by_share(Kind::dense, "", 0)};
  if (most_flops > flops && most_flops < 2 * flops) {
    points.push_back(answers.by_flops(Kind::dense, "", most_flops));
    points.back().views =
        fmt::format("mirror for {:.1f}%", 100 * (points.back().flops / flops - 1));
  }
  points.push_back(answers.by_share(Kind::dense, "", 1));
  points.back().views = "mirror";
  return points;
}

std::vector<FrontierPoint> routed_points(const SavedModel& saved, const FrontierImages& images,
                                         const CompileOptions& options) {
  Sequential model = saved.model;
  const Weights& weights = saved.weights;
  if (last_cascade(model) != nullptr) return cascade_points(model, weights, images, options);
  const double flops = count_flops(model);
  const Scores one = scores_of(model, weights, images, options);
  const Scores both = scores_of(model, weights, images, options, Views::mirror);
  const TwoAnswers answers(one, both, images, flops, flops);
  std::vector<FrontierPoint> points{answers.by_share(Kind::mixture, "mixture", 0)};
  for (const double share : {0.25, 0.5, 1.0}) {
    points.push_back(
        answers.by_share(Kind::share, fmt::format("mirror for {:.0f}%", 100 * share), share));
  }
  if (has_layer<MixtureOfExperts>(model)) {
    const auto exchanged = [&](const Examples& all, std::uint64_t stream) {
      const RandomStream random(0, Purpose::control, stream, 0);
      return which_right(outputs_by_exchanged_choices(model, weights, all, random, options),
                         all.labels());
    };
    points.push_back(point(Kind::random, "experts chosen for another image",
                           exchanged(images.validation, 0), exchanged(images.test, 1), flops,
                           flops));
  } else if (has_layer<CondConv2D>(model)) {
    const Scores fixed = scores_of(
        model, with_mean_gates(model, weights, images.validation, options), images, options);
    points.push_back(point(Kind::random, "one mix for all images",
                           which_right(fixed.validation, images.validation.labels()),
                           which_right(fixed.test, images.test.labels()), flops, flops));
  }
  return points;
}

std::vector<FrontierPoint> mixture_points(const SavedMixture& saved, const Groups& groups,
                                          const FrontierImages& images,
                                          const CompileOptions& options) {
  const auto ask_all = [&](const Examples& examples) {
    return ask(saved.model.baseline, saved.weights.baseline, saved.model, saved.weights, groups,
               examples, options);
  };
  const Answers validation = ask_all(images.validation);
  const Answers test = ask_all(images.test);
  const double flops = cost_of(saved.model).active_flops;
  const auto at_random = [&](const Answers& answers, std::uint64_t stream) {
    const RandomStream numbers(0, Purpose::control, stream, 0);
    std::vector<float> scores;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const std::uint32_t group =
          RandomStream::below(numbers.bits(static_cast<std::uint32_t>(i))[0],
                              static_cast<std::uint32_t>(groups.count()));
      const std::vector<float> own = answers.scores(i, static_cast<int>(group));
      scores.insert(scores.end(), own.begin(), own.end());
    }
    return scores;
  };
  return {
      point(Kind::mixture, "mixture", which_right(validation.mixture(), images.validation.labels()),
            which_right(test.mixture(), images.test.labels()), flops, flops),
      point(Kind::random, "groups chosen at random",
            which_right(at_random(validation, 0), images.validation.labels()),
            which_right(at_random(test, 1), images.test.labels()), flops, flops)};
}

}  // namespace sluice
