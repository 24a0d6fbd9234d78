#include "base/fail.h"
#include "sluice/model_file.h"

namespace sluice {

namespace {

/// Calls set() for each layer of a type. Throws Error (user) if there is none.
template <class Type, class Set>
void set_each(Sequential& model, const char* option, const char* type, const Set& set) {
  bool found = false;
  for (Layer& layer : model.layers) {
    auto* routed = std::get_if<Type>(&layer);
    if (routed == nullptr) continue;
    set(*routed);
    found = true;
  }
  if (!found) {
    throw user_error("model", "{} is for a {}, and {} has none: leave it out", option, type,
                     model.name);
  }
}

}  // namespace

void set_routing(AnyModel& any, const Routing& routing) {
  if (!routing.experts && !routing.share) return;
  auto* saved = std::get_if<SavedModel>(&any);
  if (saved == nullptr) {
    throw user_error("model",
                     "the gate of a mixture of whole networks chooses one expert: leave out the "
                     "number of experts and the share");
  }
  Sequential& model = saved->model;
  if (routing.experts) {
    set_each<MixtureOfExperts>(model, "a number of experts", "MixtureOfExperts",
                               [&](MixtureOfExperts& layer) { layer.top_k = *routing.experts; });
  }
  if (routing.share) {
    set_each<Cascade>(model, "a share", "Cascade",
                      [&](Cascade& layer) { layer.share = *routing.share; });
  }
  summarize(model);  // throws for a number out of range
}

}  // namespace sluice
