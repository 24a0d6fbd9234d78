#pragma once

#include <string>
#include <vector>

#include "formats/hdf5/handle.h"

namespace sluice {

/// Value of an attribute that Keras writes; a scalar is one string.
struct Hdf5Text {
  bool is_list = false;
  std::vector<std::string> strings;
};

bool has_attribute(hid_t object, const std::string& name);

/// Reads strings of fixed or variable length. An empty list may have any type, because NumPy writes
/// it as numbers. `where` is the file and path for messages. Throws Error (user).
Hdf5Text read_attribute(hid_t object, const std::string& name, const std::string& where);

}  // namespace sluice
