#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/hdf5/handle.h"
#include "sluice/shape.h"

namespace sluice {

/// An HDF5 file that is made in memory. Groups on the way to a path are made as needed. Throws
/// Error (machine). Debian's libhdf5 is not for several threads: one thread at a time.
class Hdf5Writer {
 public:
  Hdf5Writer();

  void group(const std::string& path);
  void dataset(const std::string& path, const Shape& shape, std::span<const float> values);
  /// To a group or dataset that is there, as h5py writes a str.
  void attribute(const std::string& path, const std::string& name, const std::string& value);
  void attribute(const std::string& path, const std::string& name,
                 const std::vector<std::string>& values);

  /// The file's bytes. Nothing can be written after it.
  std::string bytes();

 private:
  void strings(const std::string& path, const std::string& name, const Hdf5Handle& space,
               const std::vector<const char*>& texts);

  Hdf5Handle file_;
  Hdf5Handle make_groups_;  ///< link creation properties
  Hdf5Handle string_;       ///< type of attributes
};

}  // namespace sluice
