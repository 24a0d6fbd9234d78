#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sluice {

/// "MaxPooling2D" becomes "max_pooling2d": keras.src.utils.naming.to_snake_case.
std::string keras_snake_case(std::string_view class_name);

/// What Keras 3 calls the layers of a model in an HDF5 file: by class and position, "conv2d",
/// "conv2d_1", whatever their own names.
class KerasKeys {
 public:
  std::string next(std::string_view class_name);

 private:
  std::map<std::string, int> used_;
};

}  // namespace sluice
