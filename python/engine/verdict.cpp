#include "engine/verdict.h"

#include <algorithm>

#include "base/fail.h"
#include "engine/signals.h"
#include "run/verdict_json.h"
#include "sluice/lab/class_groups.h"
#include "sluice/lab/report.h"
#include "sluice/lab/verdict.h"

namespace nb = nanobind;

namespace sluice::python {

namespace {

/// Large batches, between which signals are let in.
CompileOptions inference(SignalsWait& signals) {
  return {.batch = 256, .before_predict = [&signals] { signals.check(); }};
}

/// Calls `call` with a model of a kind, of which a user may have given another.
template <class Saved, class Call>
void with(Network& network, Call call) {
  network.with_model([&](const AnyModel& model) {
    const auto* saved = std::get_if<Saved>(&model);
    if (saved == nullptr) {
      throw user_error("model",
                       "a mixture and networks are compared: give them in this order, "
                       "baseline first");
    }
    call(*saved);
  });
}

/// Asks all parts of a mixture, and the baseline as it is by itself.
Answers asked(Network& baseline, Network& mixture, const Groups& groups, const Examples& examples,
              SignalsWait& signals) {
  Answers answers;
  with<SavedModel>(baseline, [&](const SavedModel& network) {
    with<SavedMixture>(mixture, [&](const SavedMixture& parts) {
      answers = ask(network.model, network.weights, parts.model, parts.weights, groups, examples,
                    inference(signals));
    });
  });
  return answers;
}

}  // namespace

Judgement judge(Network& baseline, Network& mixture,
                const std::vector<std::pair<std::string, Network*>>& controls, const Images& images,
                const Labels& labels, const std::vector<std::string>& class_names,
                const NamedGroups& groups) {
  require_own_process();
  const nb::gil_scoped_release free;
  SignalsWait signals;
  const LabelledImages given = labelled(images, labels);
  const Examples examples(given, class_names);
  const Groups its_groups(to_groups(groups), class_names);
  Answers answers = asked(baseline, mixture, its_groups, examples, signals);
  for (const auto& [name, network] : controls) {
    with<SavedModel>(*network, [&, &its_name = name](const SavedModel& control) {
      answers.controls.push_back(
          {its_name, its_name, ask(control.model, control.weights, examples, inference(signals))});
    });
  }
  const Verdict verdict = judge(answers);
  return {sentence(verdict), to_string(improved(verdict)), to_string(worth_it(verdict)),
          to_json(verdict, class_names, its_groups.names()).dump()};
}

std::pair<NamedGroups, std::string> find_groups(Network& network, const Images& images,
                                                const Labels& labels,
                                                const std::vector<std::string>& class_names,
                                                int count) {
  require_own_process();
  const nb::gil_scoped_release free;
  SignalsWait signals;
  const LabelledImages given = labelled(images, labels);
  ClassConfusions confusions;
  with<SavedModel>(network, [&](const SavedModel& saved) {
    const auto compiled = compile_for_inference(saved.model, saved.weights, inference(signals));
    confusions = class_confusions(*compiled, Examples(given, class_names));
  });
  if (count == 0) count = number_of_groups(class_tree(confusions));
  const std::vector<Groups::Group> groups =
      sluice::find_groups(confusions, count, Clustering::agglomerative);
  return {to_named(groups), class_groups_text(confusions, groups)};
}

std::string explain(Network& baseline, Network& mixture, const Images& image,
                    const std::vector<std::string>& class_names, const NamedGroups& groups) {
  require_own_process();
  const nb::gil_scoped_release free;
  SignalsWait signals;
  LabelledImages given = viewed(image);
  given.labels.resize(image.shape(0));  // unknown: the text does not show them
  const Groups its_groups(to_groups(groups), class_names);
  const Answers answers =
      asked(baseline, mixture, its_groups, Examples(given, class_names), signals);
  return explanation_text(answers, 0);
}

}  // namespace sluice::python
