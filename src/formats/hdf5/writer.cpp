#include "formats/hdf5/writer.h"

#include <vector>

#include "base/fail.h"

namespace sluice {

namespace {

void check(hid_t status, const char* what) {
  if (status < 0) throw machine_error("hdf5", "cannot make {}: free some memory", what);
}

Hdf5Handle checked(hid_t id, Hdf5Handle::Close close, const char* what) {
  check(id, what);
  return {id, close};
}

Hdf5Handle new_file() {
  const Hdf5Handle access = checked(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "file properties");
  constexpr std::size_t kGrowBy = 1 << 20;
  const hbool_t on_disk = 0;
  check(H5Pset_fapl_core(access.get(), kGrowBy, on_disk), "a file in memory");
  // The name is not used: nothing is written to the disk.
  return checked(H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose,
                 "a file in memory");
}

Hdf5Handle string_type() {
  Hdf5Handle type = checked(H5Tcopy(H5T_C_S1), H5Tclose, "a type");
  check(H5Tset_size(type.get(), H5T_VARIABLE), "a type");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "a type");
  return type;
}

/// Stores no timestamps, so that the same model gives the same file.
Hdf5Handle untimed() {
  Hdf5Handle properties = checked(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "properties");
  check(H5Pset_obj_track_times(properties.get(), false), "properties");
  return properties;
}

}  // namespace

Hdf5Writer::Hdf5Writer()
    : file_(new_file()),
      make_groups_(checked(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "link properties")),
      string_(string_type()) {
  check(H5Pset_create_intermediate_group(make_groups_.get(), 1), "link properties");
}

void Hdf5Writer::group(const std::string& path) {
  checked(H5Gcreate2(file_.get(), path.c_str(), make_groups_.get(), H5P_DEFAULT, H5P_DEFAULT),
          H5Gclose, "a group");
}

void Hdf5Writer::dataset(const std::string& path, const Shape& shape,
                         std::span<const float> values) {
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  const Hdf5Handle space = checked(
      H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose, "a shape");
  const Hdf5Handle properties = untimed();
  const Hdf5Handle set = checked(H5Dcreate2(file_.get(), path.c_str(), H5T_IEEE_F32LE, space.get(),
                                            make_groups_.get(), properties.get(), H5P_DEFAULT),
                                 H5Dclose, "a dataset");
  check(H5Dwrite(set.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
        "a dataset");
}

void Hdf5Writer::attribute(const std::string& path, const std::string& name,
                           const std::string& value) {
  strings(path, name, checked(H5Screate(H5S_SCALAR), H5Sclose, "an attribute"), {value.c_str()});
}

void Hdf5Writer::attribute(const std::string& path, const std::string& name,
                           const std::vector<std::string>& values) {
  const hsize_t count = values.size();
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  strings(path, name, checked(H5Screate_simple(1, &count, nullptr), H5Sclose, "an attribute"),
          texts);
}

void Hdf5Writer::strings(const std::string& path, const std::string& name, const Hdf5Handle& space,
                         const std::vector<const char*>& texts) {
  const Hdf5Handle object =
      checked(H5Oopen(file_.get(), path.c_str(), H5P_DEFAULT), H5Oclose, "an attribute");
  const Hdf5Handle attribute = checked(
      H5Acreate2(object.get(), name.c_str(), string_.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose, "an attribute");
  if (texts.empty()) return;
  check(H5Awrite(attribute.get(), string_.get(), texts.data()), "an attribute");
}

std::string Hdf5Writer::bytes() {
  check(H5Fflush(file_.get(), H5F_SCOPE_LOCAL), "a file in memory");
  const ssize_t size = H5Fget_file_image(file_.get(), nullptr, 0);
  check(size, "a file in memory");
  std::string image(static_cast<std::size_t>(size), '\0');
  check(H5Fget_file_image(file_.get(), image.data(), image.size()), "a file in memory");
  return image;
}

}  // namespace sluice
