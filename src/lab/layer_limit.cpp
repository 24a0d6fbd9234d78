#include "lab/layer_limit.h"

#include "base/fail.h"
#include "sluice/text.h"

namespace sluice {

void require_layers_of_a_size(const Sequential& model, const std::string& other) {
  constexpr std::int64_t kMost = 100'000'000;
  for (const LayerSummary& layer : summarize(model)) {
    if (layer.parameters() <= kMost) continue;
    throw user_error(
        "model",
        "{}: images of {} give its layer '{}' {} parameters, more than {}: take smaller "
        "images (data.image_size){}",
        model.name, to_string(model.input), layer.name, with_commas(layer.parameters()),
        with_commas(kMost), other);
  }
}

}  // namespace sluice
