#pragma once

// HDF5 1.12 has other types with the same names; both versions have the types of 1.10.
#define H5_USE_110_API
#include <hdf5.h>

#include <utility>

namespace sluice {

/// An identifier of HDF5, which the destructor closes; negative if HDF5 failed.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;

  hid_t get() const { return id_; }
  bool failed() const { return id_ < 0; }

 private:
  hid_t id_;
  Close close_;
};

}  // namespace sluice
