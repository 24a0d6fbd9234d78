#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/evaluation.h"
#include "sluice/mixture.h"

#pragma GCC visibility push(default)

namespace sluice {

// Verdict on a mixture: accuracy with its uncertainty, error budget, and cost.

/// Outputs of every part of a mixture for the same examples. All parts compute all examples, also
/// those that the gate would not route to them. Without groups they are the outputs of one network:
/// `frozen`, and nothing else.
struct Answers {
  /// A baseline of equal cost (see Lab::train()).
  struct Control {
    std::string name;           ///< "longer"
    std::string words;          ///< "a baseline trained equally long"
    std::vector<float> scores;  ///< (examples, classes)
  };

  std::vector<std::string> class_names;
  std::vector<std::string> group_names;
  std::vector<int> group_of_class;
  std::vector<int> truth;            ///< (examples), class of each
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
  /// Group to which the gate sends an example.
  int chosen_group(std::size_t example) const;
  /// Output of a group's sub-gate, (classes). It need not sum to one.
  std::vector<float> scores(std::size_t example, int group) const;
  /// Output of the mixture for all examples, (examples, classes).
  std::vector<float> mixture() const;
};

/// Runs all parts for all examples; controls stay empty. Throws Error (user) if there are no
/// examples, or if input, classes or groups are not those of the models.
Answers ask(const Sequential& baseline, const Weights& frozen, const Mixture& model,
            const MixtureWeights& weights, const Groups& groups, const Examples& examples,
            const CompileOptions& options);

/// Runs one network: answers without groups. Throws Error (user) in the same way.
Answers ask_alone(const Sequential& model, const Weights& weights, const Examples& examples,
                  const CompileOptions& options, Views views = Views::one);

/// Returns the outputs of one network, (examples, classes).
std::vector<float> ask(const Sequential& model, const Weights& weights, const Examples& examples,
                       const CompileOptions& options);

/// Error budget of a mixture: every example counts in one of the first four.
struct ErrorBudget {
  std::int64_t right = 0;
  std::int64_t wrong_group = 0;  ///< the gate chose another group's expert
  std::int64_t overruled = 0;    ///< the right group's expert was right, the mixture wrong
  std::int64_t wrong_class = 0;  ///< the right group's expert was wrong, and so was the mixture
  // Examples that would be right under other conditions.
  std::int64_t oracle = 0;  ///< with a perfect gate
  std::int64_t best = 0;    ///< by the better of the chosen expert and the frozen baseline

  std::int64_t examples() const { return right + wrong_group + overruled + wrong_class; }
};

/// Error budgets of all examples, of each true class and of each true group.
struct ErrorBudgets {
  ErrorBudget all;
  std::vector<ErrorBudget> classes;
  std::vector<ErrorBudget> groups;
};
/// Throws Error (user) if the answers are incomplete.
ErrorBudgets error_budgets(const Answers& answers);

/// Cost of a model. Active parameters and operations are those that one image needs.
struct Cost {
  std::int64_t parameters = 0;
  std::int64_t active_parameters = 0;
  double flops = 0;  ///< operations of one image's forward pass, if every part ran
  double active_flops = 0;
  /// Operations of one image in training: the backward pass counts twice the forward pass (Kaplan
  /// et al. 2020, appendix), half of it for a frozen layer, and not at all for parts that are not
  /// trained, nor for frozen layers that have no trained one before them.
  double training_flops = 0;

  Cost& operator+=(const Cost& other);
};
Cost cost_of(const Sequential& model);
/// Active parts are gate, baseline, and one expert with its importance model, those of the most
/// expensive group.
Cost cost_of(const Mixture& model);

/// Returns the milliseconds that predict() needs for one of the examples, with a model compiled for
/// inference: the mean over 100 of them, since a cascade needs more for some, of the median of
/// three times each. Throws Error (user) without examples.
double latency_ms(CompiledModel& model, const Examples& examples);

struct Verdict {
  struct Standing {
    double accuracy = 0;
    Interval interval;  ///< of the accuracy
    Calibration calibration;
    ClassBalance balance{};
  };
  struct Control {
    std::string name;
    std::string words;
    Standing standing;
    PairedComparison over_baseline;  ///< control minus frozen baseline
    PairedComparison to_mixture;     ///< mixture minus control
  };

  Standing baseline;  ///< frozen
  Standing mixture;
  PairedComparison difference;  ///< mixture minus frozen baseline
  std::vector<Control> controls;
  ErrorBudgets budgets;
  std::vector<std::int64_t> asked;  ///< by group: examples that the gate routed to it

  /// Returns the most accurate control; null if there are none.
  const Control* best_control() const;
};

/// Compares mixture, frozen baseline and controls. Without groups only `baseline` is judged: the
/// rest stays empty. Throws Error (user) if the answers are incomplete.
Verdict judge(const Answers& answers);

/// Result of a test: `not_shown` if chance explains the difference.
enum class Finding { yes, no, not_shown };
const char* to_string(Finding finding);

/// Whether the mixture differs from the frozen baseline at the level of 5%: yes if it is better, no
/// if it is worse.
Finding improved(const Verdict& verdict);
/// Whether the mixture is better than the frozen baseline and than the best control: yes if both
/// are shown, no if it is worse than the baseline or a control is as good. Without controls a gain
/// is not_shown to be worth it.
Finding worth_it(const Verdict& verdict);
/// Returns the verdict as a sentence, with its numbers.
std::string sentence(const Verdict& verdict);
/// Returns the result of one network as a sentence.
std::string sentence(const Verdict::Standing& network);

/// Returns the groups to whose expert the gate sends less than a tenth of an even share.
std::vector<int> dead_experts(const Verdict& verdict);

}  // namespace sluice

#pragma GCC visibility pop
