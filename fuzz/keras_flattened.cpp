#include "formats/keras/import.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// Same limit as model_file: JSON in the metadata, and JSON inside that.
constexpr std::size_t kBytesPerByte = 128;
constexpr std::size_t kConstant = 65'536;

}  // namespace

bool keras_flattened(std::string_view bytes) {
  const std::string place = "fuzz";
  const KerasOptions options{.groups = {"b", "a"}, .input = {4, 4, 3}};
  return read_or_refuse(place, kBytesPerByte * bytes.size() + kConstant,
                        [&] {
                          return import_keras(
                              to_keras_file(Safetensors::parse(std::string(bytes), place), place),
                              options);
                        })
      .has_value();
}

}  // namespace sluice::fuzz
