#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sluice/evaluation.h"
#include "sluice/lab/lab.h"

#pragma GCC visibility push(default)

namespace sluice {

// A frontier: is a mixture above all dense networks that need as much work? Work is that of one
// image at use, and that of the whole training.

/// The sweep of dense networks to which a mixture is compared.
struct FrontierOptions {
  int seeds = 5;  ///< from the experiment's own upwards
  /// Times the filters and units of the dense network.
  std::vector<double> widths{0.75, 1, 1.25, 1.5, 2};
  /// Training work of each dense network, as parts of the mixture's.
  std::vector<double> work{1};
};

/// Returns the dense network of an experiment: the baseline of its groups, or its network without
/// routed layers. In place of a MixtureOfExperts it has one expert, in place of a Cascade the first
/// answer, in place of a CondConv2D a Conv2D.
NetworkChoice dense_network(const NetworkChoice& network);

/// Whether a network has routed layers.
bool is_routed(const NetworkChoice& network);

/// Operations of the training of a stage, by Cost::training_flops, if it is not stopped early.
double training_flops(const Lab& lab, const Stage& stage);
/// Operations of the training of a lab's stages without controls.
double training_flops(const Lab& lab);

/// A classifier of a frontier, trained with each seed.
struct FrontierPoint {
  enum class Kind {
    mixture,  ///< as it was declared
    dense,
    share,   ///< the mixture with another share of images that go on, or with more views
    random,  ///< the mixture's parts, chosen at random instead of by the images, or the mean of all
  };
  /// Of one seed.
  struct Seed {
    double validation = 0;            ///< accuracy
    std::vector<std::uint8_t> right;  ///< (test images): 1 if it is classified correctly
    double flops = 0;                 ///< operations for a test image, in the mean
    double latency_ms = 0;            ///< of one image, in the mean; 0 where it was not measured

    double test() const;  ///< accuracy
  };

  Kind kind = Kind::dense;
  std::string words;          ///< "width 1.25, mirror"
  double width = 1;           ///< of a dense network
  double work = 1;            ///< FrontierOptions::work of a dense network
  std::string views = "one";  ///< of a test image
  int epochs = 0;
  double flops = 0;           ///< operations for a validation image, in the mean
  double training_flops = 0;  ///< of the whole training
  std::vector<Seed> seeds;

  double validation() const;  ///< mean accuracy
  double test() const;        ///< mean accuracy
  /// Of the mean accuracy over the seeds, by Student's distribution; of one seed it has no width.
  Interval test_interval() const;
  double test_flops() const;  ///< mean
  double latency_ms() const;  ///< mean
};

/// Two points on the same test images: `first` minus `second`, with several seeds.
struct FrontierDifference {
  double difference = 0;  ///< mean of the seeds' differences of accuracy
  /// The wider of two intervals at 95%: of the mean over the images, by the normal distribution,
  /// and of the mean over the seeds, by Student's.
  Interval interval;
  /// The larger p-value of both tests; with one seed that of McNemar's test.
  double p_value = 1;
  double standard_error = 0;              ///< of the mean over the seeds; 0 with one seed
  std::vector<PairedComparison> by_seed;  ///< second, first
  int same_sign() const;                  ///< seeds whose difference has the sign of the mean

  bool may_be_chance() const { return p_value >= 0.05; }
};
/// Throws Error (user) for points of different numbers of seeds or images.
FrontierDifference compare(const FrontierPoint& first, const FrontierPoint& second);

/// The answer of a frontier.
struct FrontierVerdict {
  /// Number of the best dense point, by its mean accuracy on validation images, among those that
  /// need at most the mixture's work for an image and in training; -1 if there is none.
  int rival = -1;
  std::optional<FrontierDifference> over_rival;   ///< mixture minus rival
  std::optional<FrontierDifference> over_random;  ///< mixture minus Kind::random
  /// Operations for an image at which the line through the dense networks of one view reaches the
  /// mixture's test accuracy; nothing if none of them does.
  std::optional<double> dense_flops;
};
/// `points` have the mixture first. The test images have no part in the choice of the rival. Throws
/// Error (user) without points or seeds.
FrontierVerdict judge(const std::vector<FrontierPoint>& points);

/// Returns the verdict as a sentence: "At 12.0 MFLOP an image the mixture is 1.3 points above the
/// best dense network (p < .001, 5 of 5 seeds); a dense one needs 21.0 MFLOP."
std::string sentence(const std::vector<FrontierPoint>& points, const FrontierVerdict& verdict);

/// A finished frontier.
struct Frontier {
  std::string name;  ///< of the experiment
  std::string data_name;
  std::size_t test_images = 0;
  std::vector<std::uint64_t> seeds;
  std::vector<FrontierPoint> points;  ///< the mixture first
  FrontierVerdict verdict;
  std::filesystem::path folder;
};

}  // namespace sluice

#pragma GCC visibility pop
