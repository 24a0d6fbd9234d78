#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/hdf5/handle.h"
#include "sluice/shape.h"

namespace sluice {

/// Makes an HDF5 file in memory, including the groups of each path. Throws Error (machine).
/// Debian's libhdf5 is not thread-safe: only one thread at a time may use it.
class Hdf5Writer {
 public:
  Hdf5Writer();

  void group(const std::string& path);
  void dataset(const std::string& path, const Shape& shape, std::span<const float> values);
  /// Adds an attribute to an existing group or dataset, as h5py writes a str.
  void attribute(const std::string& path, const std::string& name, const std::string& value);
  void attribute(const std::string& path, const std::string& name,
                 const std::vector<std::string>& values);

  /// Returns the file's bytes. Nothing can be written afterwards.
  std::string bytes();

 private:
  void strings(const std::string& path, const std::string& name, const Hdf5Handle& space,
               const std::vector<const char*>& texts);

  Hdf5Handle file_;
  Hdf5Handle make_groups_;  ///< link creation properties
  Hdf5Handle string_;       ///< type of attributes
};

}  // namespace sluice
