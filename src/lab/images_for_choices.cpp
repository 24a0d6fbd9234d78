#include "lab/images_for_choices.h"

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

void require_images_for_choices(const LabOptions& options, bool has_validation,
                                const std::string& place) {
  if (has_validation || options.validation_split > 0) return;
  if (options.calibrate) {
    throw user_error("train",
                     "{}: train.calibrate would choose the temperature by the test images: set "
                     "train.validation_split=0.1",
                     place);
  }
  for (const Layer& layer : options.network.layers.layers) {
    const auto* cascade = std::get_if<Cascade>(&layer);
    if (cascade == nullptr) continue;
    throw user_error("train",
                     "{}: {} would choose its threshold by the test images: set "
                     "train.validation_split=0.1",
                     place, one_line(cascade->name));
  }
}

}  // namespace sluice
