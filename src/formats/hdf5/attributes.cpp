#include "formats/hdf5/attributes.h"

#include <algorithm>
#include <cstring>

#include "base/fail.h"

namespace sluice {

namespace {

constexpr hssize_t kMaxStrings = 10'000;
constexpr std::size_t kMaxText = std::size_t{64} << 20;

/// Strings of any length, which HDF5 allocates; the destructor frees them.
class VariableStrings {
 public:
  VariableStrings(hid_t type, hid_t space, std::size_t count)
      : type_(type), space_(space), texts_(count, nullptr) {}
  ~VariableStrings() { H5Dvlen_reclaim(type_, space_, H5P_DEFAULT, texts_.data()); }
  VariableStrings(const VariableStrings&) = delete;
  VariableStrings& operator=(const VariableStrings&) = delete;

  char** data() { return texts_.data(); }
  const std::vector<char*>& texts() const { return texts_; }

 private:
  hid_t type_;
  hid_t space_;
  std::vector<char*> texts_;
};

std::vector<std::string> read_variable(hid_t attribute, hid_t space, std::size_t count,
                                       const std::string& where) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  // The character set must be that of the file, otherwise HDF5 refuses to convert.
  const Hdf5Handle stored(H5Aget_type(attribute), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5Tget_cset(stored.get()));
  VariableStrings read(type.get(), space, count);
  if (H5Aread(attribute, type.get(), read.data()) < 0) {
    throw user_error("keras", "{} is damaged: HDF5 could not read it", where);
  }
  std::vector<std::string> strings;
  std::size_t total = 0;
  for (const char* text : read.texts()) {
    strings.emplace_back(text != nullptr ? text : "");
    total += strings.back().size();
    // Many elements can refer to one stored text.
    if (total > kMaxText) throw user_error("keras", "{} has more than {} bytes", where, kMaxText);
  }
  return strings;
}

std::vector<std::string> read_fixed(hid_t attribute, hid_t type, std::size_t count,
                                    const std::string& where) {
  const std::size_t length = H5Tget_size(type);
  if (length == 0 || length > kMaxText / std::max<std::size_t>(count, 1)) {
    throw user_error("keras", "{} has more than {} bytes", where, kMaxText);
  }
  std::string block(count * length, '\0');
  if (H5Aread(attribute, type, block.data()) < 0) {
    throw user_error("keras", "{} is damaged: HDF5 could not read it", where);
  }
  std::vector<std::string> strings;
  for (std::size_t i = 0; i < count; ++i) {
    const char* text = block.data() + i * length;
    strings.emplace_back(text, strnlen(text, length));
  }
  return strings;
}

}  // namespace

bool has_attribute(hid_t object, const std::string& name) {
  return H5Aexists(object, name.c_str()) > 0;
}

Hdf5Text read_attribute(hid_t object, const std::string& name, const std::string& where) {
  const Hdf5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
  const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
  const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  if (attribute.failed() || space.failed() || type.failed() || count < 0) {
    throw user_error("keras", "{} is damaged: HDF5 could not read it", where);
  }
  Hdf5Text text;
  text.is_list = H5Sget_simple_extent_ndims(space.get()) > 0;
  if (count == 0) return text;
  if (count > kMaxStrings)
    throw user_error("keras", "{} has more than {} strings", where, kMaxStrings);
  if (H5Tget_class(type.get()) != H5T_STRING) throw user_error("keras", "{} is not text", where);
  text.strings =
      H5Tis_variable_str(type.get()) > 0
          ? read_variable(attribute.get(), space.get(), static_cast<std::size_t>(count), where)
          : read_fixed(attribute.get(), type.get(), static_cast<std::size_t>(count), where);
  return text;
}

}  // namespace sluice
