#include "formats/model/model_check.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/text.h"
#include "formats/model/declaration.h"
#include "formats/model/model_notes.h"
#include "graph/weights.h"
#include "mixture/checks.h"

namespace sluice {
namespace {

/// Calls `see` with each network of a model, its weights, and a prefix for messages.
template <class See>
void for_each_network(const AnyModel& model, const See& see) {
  if (const auto* network = std::get_if<SavedModel>(&model)) {
    return see("", network->model, network->weights);
  }
  const auto& mixture = std::get<SavedMixture>(model);
  const std::vector<const Sequential*> parts = mixture.model.parts();
  const std::vector<const Weights*> weights = mixture.weights.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    see(parts[i]->name + "/", *parts[i], *weights.at(i));
  }
}

/// Requires that readers, which limit every number and name, accept the declaration.
void require_declarable(const AnyModel& model, const std::string& place) {
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  const auto text = std::visit(
      [&](const auto& saved) { return to_declaration(saved.model).dump(-1, ' ', false, kReplace); },
      model);
  const nlohmann::json declared = nlohmann::json::parse(text);
  if (std::holds_alternative<SavedMixture>(model)) {
    mixture_of(declared, place + ": model");
  } else {
    sequential_of(declared, place + ": model");
  }
}

void require_weights(const AnyModel& model) {
  if (const auto* mixture = std::get_if<SavedMixture>(&model)) {
    require_weights_for_parts(mixture->model, mixture->weights);
  }
  for_each_network(model,
                   [](const std::string&, const Sequential& network, const Weights& weights) {
                     sluice::require_weights(network, weights);
                   });
}

}  // namespace

void require_finite(const AnyModel& model, const std::string& place) {
  for_each_network(
      model, [&](const std::string& prefix, const Sequential&, const Weights& weights) {
        for (const Weights::Tensor& tensor : weights.tensors()) {
          const auto wrong = std::ranges::count_if(
              weights.values(tensor), [](float value) { return !std::isfinite(value); });
          if (wrong == 0) continue;
          throw user_error(
              "model",
              "{}: {} of the {} values of tensor '{}{}/{}' are NaN or infinite, and so "
              "would be its answers: train it again, with a lower learning rate",
              place, wrong, tensor.size, one_line(prefix), one_line(tensor.layer), tensor.kind);
        }
      });
}

void require_sound(const AnyModel& model, const std::string& place) {
  require_declarable(model, place);
  try {
    require_weights(model);
  } catch (const Error& error) {
    throw user_error("model", "{}: {}", place, untagged(error));
  }
  require_notes_fit(model, place);
  require_finite(model, place);
}

}  // namespace sluice
