#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/evaluation.h"
#include "sluice/mixture.h"

namespace [[gnu::visibility("default")]] sluice {

// Was the mixture worth it? Accuracy with its uncertainty, where points are lost, and the price.

/// What every part of a mixture answers for the same examples. All parts answer for all of them,
/// also those that the gate would not ask.
struct Answers {
  /// A baseline that was given what the mixture was given (see Lab::train()).
  struct Control {
    std::string name;           ///< "longer"
    std::string words;          ///< "a baseline trained for the same compute"
    std::vector<float> scores;  ///< (examples, classes)
  };

  std::vector<std::string> class_names;
  std::vector<std::string> group_names;
  std::vector<int> group_of_class;
  std::vector<int> truth;            ///< (examples), by class
  std::vector<std::string> files{};  ///< (examples): Examples::file(); may be empty
  std::vector<float> frozen;         ///< (examples, classes): the baseline before joint training
  std::vector<float> baseline;       ///< (examples, classes): the mixture's own
  std::vector<float> gate;           ///< (examples, groups)
  std::vector<std::vector<float>> experts;      ///< by group (examples, classes)
  std::vector<std::vector<float>> importances;  ///< by group (examples, classes, 2)
  std::vector<Control> controls;

  std::size_t size() const { return truth.size(); }
  std::size_t classes() const { return class_names.size(); }
  std::string file(std::size_t example) const { return files.empty() ? "" : files[example]; }
  int true_group(std::size_t example) const { return group_of_class[truth[example]]; }
  /// Where the gate sends an example.
  int chosen_group(std::size_t example) const;
  /// The scores of the sub-gate of a group, (classes). They need not sum to one.
  std::vector<float> scores(std::size_t example, int group) const;
  /// The mixture's scores of all examples, (examples, classes).
  std::vector<float> mixture() const;
};

/// Controls are left empty. Throws Error (user) if there are no examples, or
/// input, classes or groups are not those of the models.
Answers ask(const Sequential& baseline, const Weights& frozen, const Mixture& model,
            const MixtureWeights& weights, const Groups& groups, const Examples& examples,
            const CompileOptions& options);

/// What one network answers, (examples, classes).
std::vector<float> ask(const Sequential& model, const Weights& weights, const Examples& examples,
                       const CompileOptions& options);

/// Where the mixture's points went: every example is in one of the first four.
struct ErrorBudget {
  std::int64_t right = 0;
  std::int64_t wrong_group = 0;  ///< the gate asked another group's expert
  std::int64_t overruled = 0;    ///< the asked expert of the right group had it right by itself
  std::int64_t wrong_class = 0;  ///< the asked expert of the right group had it wrong
  // What other choices would have had right.
  std::int64_t oracle = 0;  ///< with a perfect gate
  std::int64_t best = 0;    ///< of the asked expert and the frozen baseline whichever is right

  std::int64_t examples() const { return right + wrong_group + overruled + wrong_class; }
};

/// Of all examples, of each true class and of each true group.
struct ErrorBudgets {
  ErrorBudget all;
  std::vector<ErrorBudget> classes;
  std::vector<ErrorBudget> groups;
};
/// Throws Error (user) where the answers are not whole.
ErrorBudgets error_budgets(const Answers& answers);

/// What a model costs. Active is what one image needs.
struct Cost {
  std::int64_t parameters = 0;
  std::int64_t active_parameters = 0;
  double flops = 0;  ///< of the forward pass of one image, if every part ran
  double active_flops = 0;
  /// Of one image in training: backward counts twice what forward does (Kaplan et al. 2020,
  /// appendix); what is not trained has none.
  double training_flops = 0;

  Cost& operator+=(const Cost& other);
};
Cost cost_of(const Sequential& model);
/// Active parts are gate, baseline, and one expert with its importance model: of the most expensive
/// group, if they differ.
Cost cost_of(const Mixture& model);

/// Median milliseconds of predict() for one of the examples, by a model that is not trained.
/// Throws Error (user) without examples.
double latency_ms(CompiledModel& model, const Examples& examples);

struct Verdict {
  struct Standing {
    double accuracy = 0;
    Interval interval;  ///< of it
    Calibration calibration;
  };
  struct Control {
    std::string name;
    std::string words;
    Standing standing;
    PairedComparison over_baseline;  ///< the control against the frozen baseline
    PairedComparison to_mixture;     ///< the mixture against the control
  };

  Standing baseline;  ///< frozen
  Standing mixture;
  PairedComparison difference;  ///< mixture against frozen baseline
  std::vector<Control> controls;
  ErrorBudgets budgets;
  std::vector<std::int64_t> asked;  ///< by group: examples that the gate sent there

  /// The most accurate; null where there are none.
  const Control* best_control() const;
};

/// Throws Error (user) where the answers are not whole.
Verdict judge(const Answers& answers);

/// An answer that a test can give: "not shown" where chance explains what was seen.
enum class Finding { yes, no, not_shown };
const char* to_string(Finding finding);

/// Whether mixture and frozen baseline differ at the level of 5%: yes if it is better, no if it is
/// worse.
Finding improved(const Verdict& verdict);
/// Whether the mixture is better than the frozen baseline, and than the best control: no if it is
/// not, or if a control is as good without being a mixture. Without controls a gain alone is not
/// shown to be worth it.
Finding worth_it(const Verdict& verdict);
/// The verdict in a sentence, with its numbers.
std::string sentence(const Verdict& verdict);

/// Groups whose expert hardly anything is sent to: less than a tenth of an even share.
std::vector<int> dead_experts(const Verdict& verdict);

}  // namespace sluice
