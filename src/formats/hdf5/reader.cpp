#include "formats/hdf5/reader.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/fail.h"
#include "base/text.h"
#include "formats/hdf5/attributes.h"
#include "formats/hdf5/handle.h"

namespace sluice {

namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxObjects =
    10'000;  ///< a hundred layers with Adam's state have less than 500
constexpr std::size_t kMaxName = 1 << 14;  ///< bytes of one name
/// The maximum ratio of gzip is 1032 to 1, for constant data.
constexpr std::uint64_t kMaxExpansion = 1100;

/// Maximum bytes of all datasets together. Trained weights hardly compress, so this is generous.
std::uint64_t max_values_bytes(std::uint64_t file_bytes) {
  return 8 * file_bytes + (std::uint64_t{64} << 20);
}

class Flattener {
 public:
  Flattener(TensorMetadata metadata, const std::string& place, std::uint64_t file_bytes)
      : metadata_(std::move(metadata)), place_(place), left_(max_values_bytes(file_bytes)) {}

  void group(hid_t group, const std::string& path, int depth);
  std::string safetensors() const;

 private:
  struct Values {
    std::string name;
    Shape shape;
    std::vector<float> values;
  };

  template <class... Args>
  [[noreturn]] void fail(const std::string& path, fmt::format_string<Args...> format,
                         Args&&... args) const {
    throw user_error("keras", "{}: {}", where(path),
                     fmt::format(format, std::forward<Args>(args)...));
  }
  std::string where(const std::string& path) const {
    return place_ + ": " + (path.empty() ? "/" : one_line(path));
  }

  std::string link_name(hid_t group, hsize_t index, const std::string& path) const;
  void object(hid_t group, const std::string& name, const std::string& path, int depth);
  void attributes(hid_t object, const std::string& path);
  void dataset(hid_t set, const std::string& path);
  Shape shape_of(hid_t set, const std::string& path) const;
  void check_storage(hid_t set, const std::string& path, std::uint64_t declared) const;

  TensorMetadata metadata_;
  const std::string& place_;
  std::uint64_t left_;  ///< remaining bytes of values
  std::vector<Values> tensors_;
  std::set<haddr_t> seen_;
};

std::string Flattener::link_name(hid_t group, hsize_t index, const std::string& path) const {
  char name[kMaxName];
  const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, name,
                                            sizeof name, H5P_DEFAULT);
  if (length <= 0) fail(path, "is damaged: HDF5 could not read its list");
  if (static_cast<std::size_t>(length) >= sizeof name) {
    fail(path, "has a name of more than {} bytes", kMaxName - 1);
  }
  const std::string text(name, static_cast<std::size_t>(length));
  // HDF5 would read such a name as a path, to a place that was not checked.
  if (text == "." || text.find('/') != std::string::npos)
    fail(path, "has a member named '{}'", text);
  return text;
}

void Flattener::group(hid_t group, const std::string& path, int depth) {
  if (depth > kMaxDepth) fail(path, "groups are nested more than {} deep", kMaxDepth);
  attributes(group, path);
  H5G_info_t info;
  if (H5Gget_info(group, &info) < 0) fail(path, "is damaged: HDF5 could not read it");
  if (info.nlinks > kMaxObjects) fail(path, "has more than {} members", kMaxObjects);
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const std::string name = link_name(group, i, path);
    // Adam's moments are twice as large as the model, and are not used.
    if (depth == 0 && (name == "optimizer" || name == "optimizer_weights")) continue;
    object(group, name, path.empty() ? name : path + "/" + name, depth);
  }
}

void Flattener::object(hid_t group, const std::string& name, const std::string& path, int depth) {
  H5L_info_t link;
  if (H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT) < 0) {
    fail(path, "is damaged: HDF5 could not read it");
  }
  if (link.type != H5L_TYPE_HARD) {
    fail(path, "is {} link, which Keras does not write",
         link.type == H5L_TYPE_EXTERNAL ? "an external"
         : link.type == H5L_TYPE_SOFT   ? "a soft"
                                        : "an unknown");
  }
  const Hdf5Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
  H5O_info_t info;
  if (object.failed() || H5Oget_info2(object.get(), &info, H5O_INFO_BASIC) < 0) {
    fail(path, "is damaged: HDF5 could not read it");
  }
  // This also ends the recursion for a group that contains itself.
  if (!seen_.insert(info.addr).second) fail(path, "has more than one name");
  if (seen_.size() > kMaxObjects) fail(path, "there are more than {} objects", kMaxObjects);
  if (info.type == H5O_TYPE_GROUP) {
    this->group(object.get(), path, depth + 1);
  } else if (info.type == H5O_TYPE_DATASET) {
    dataset(object.get(), path);
  } else {
    fail(path, "is neither a group nor a dataset");
  }
}

void Flattener::attributes(hid_t object, const std::string& path) {
  const auto keep = [&](const char* name, const nlohmann::json& value) {
    metadata_[path + "@" + name] =
        value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  for (const char* name : {"name", "keras_version", "model_config", "sluice"}) {
    if (!has_attribute(object, name)) continue;
    const Hdf5Text text = read_attribute(object, name, where(path) + "@" + name);
    if (text.is_list || text.strings.size() != 1) fail(path, "its {} is not one text", name);
    keep(name, text.strings.front());
  }
  for (const char* name : {"layer_names", "weight_names"}) {
    std::vector<std::string> all;
    const auto add = [&](const std::string& part) {
      const Hdf5Text text = read_attribute(object, part, where(path) + "@" + part);
      all.insert(all.end(), text.strings.begin(), text.strings.end());
      if (all.size() > kMaxObjects) fail(path, "{} has more than {} names", name, kMaxObjects);
    };
    int parts = 0;
    if (has_attribute(object, name)) {
      add(name);
      ++parts;
    } else {
      // An attribute of HDF5 has at most 64 KiB; Keras splits longer ones.
      for (; has_attribute(object, name + std::to_string(parts)); ++parts) {
        add(name + std::to_string(parts));
      }
    }
    if (parts > 0) keep(name, all);
  }
}

Shape Flattener::shape_of(hid_t set, const std::string& path) const {
  const Hdf5Handle space(H5Dget_space(set), H5Sclose);
  const int rank = space.failed() ? -1 : H5Sget_simple_extent_ndims(space.get());
  if (rank < 0 || H5Sget_simple_extent_type(space.get()) == H5S_NULL) {
    fail(path, "has no shape that HDF5 could read");
  }
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr);
  Shape shape;
  std::uint64_t bytes = sizeof(float);
  for (const hsize_t size : sizes) {
    if (size == 0) fail(path, "has an axis of size 0");
    if (__builtin_mul_overflow(bytes, size, &bytes) || bytes > left_) {
      fail(path, "declares more data than a file of this size can have");
    }
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

/// Requires that the declared bytes are stored in the file.
void Flattener::check_storage(hid_t set, const std::string& path, std::uint64_t declared) const {
  const Hdf5Handle properties(H5Dget_create_plist(set), H5Pclose);
  if (properties.failed()) fail(path, "is damaged: HDF5 could not read it");
  if (H5Pget_external_count(properties.get()) != 0) {
    fail(path, "has its data in another file, which Keras does not write");
  }
  const H5D_layout_t layout = H5Pget_layout(properties.get());
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT) {
    fail(path, "is a virtual dataset, which Keras does not write");
  }
  const int filters = H5Pget_nfilters(properties.get());
  if (filters < 0) fail(path, "is damaged: HDF5 could not read it");
  bool compressed = false;
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    unsigned config = 0;
    const H5Z_filter_t filter = H5Pget_filter2(properties.get(), static_cast<unsigned>(i), &flags,
                                               &values, nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE) {
      fail(path, "is packed with the filter {}, and only gzip and shuffle are read",
           static_cast<int>(filter));
    }
    compressed = compressed || filter == H5Z_FILTER_DEFLATE;
  }
  const std::uint64_t stored = H5Dget_storage_size(set);
  if (stored < declared / (compressed ? kMaxExpansion : 1)) {
    fail(path, "declares {} bytes of data, but only {} are stored", declared, stored);
  }
}

void Flattener::dataset(hid_t set, const std::string& path) {
  const Hdf5Handle type(H5Dget_type(set), H5Tclose);
  if (type.failed()) fail(path, "is damaged: HDF5 could not read it");
  const std::size_t size = H5Tget_size(type.get());
  const H5T_class_t kind = H5Tget_class(type.get());
  // Every precision becomes single. Counters of dropout are not weights. HDF5 has no bfloat16;
  // Keras writes it as two opaque bytes.
  const bool is_bfloat16 = kind == H5T_OPAQUE && size == 2;
  if (!is_bfloat16 && (kind != H5T_FLOAT || (size != 2 && size != 4 && size != 8))) {
    const char* what = kind == H5T_INTEGER ? "integers" : "no floats";
    metadata_[path + "@type"] = nlohmann::json(what).dump();
    return;
  }
  Values tensor{path, shape_of(set, path), {}};
  const auto count = static_cast<std::uint64_t>(element_count(tensor.shape));
  check_storage(set, path, count * size);
  left_ -= count * sizeof(float);
  tensor.values.resize(count);
  std::vector<std::uint16_t> halves(is_bfloat16 ? count : 0);
  const hid_t memory_type = is_bfloat16 ? type.get() : H5T_NATIVE_FLOAT;
  void* const to = is_bfloat16 ? static_cast<void*>(halves.data()) : tensor.values.data();
  if (H5Dread(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0) {
    fail(path, "is damaged: HDF5 could not read its values");
  }
  std::ranges::transform(halves, tensor.values.begin(), [](std::uint16_t half) {
    return std::bit_cast<float>(std::uint32_t{half} << 16);
  });
  tensors_.push_back(std::move(tensor));
}

std::string Flattener::safetensors() const {
  std::vector<NamedTensor> tensors;
  for (const Values& tensor : tensors_)
    tensors.push_back({tensor.name, tensor.shape, tensor.values});
  return to_safetensors(tensors, metadata_);
}

/// Opens the bytes as a file in memory.
Hdf5Handle open_image(std::string_view bytes) {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access.get(), 1 << 20, 0);
  H5Pset_file_image(access.get(), const_cast<char*>(bytes.data()), bytes.size());
  return {H5Fopen("image", H5F_ACC_RDONLY, access.get()), H5Fclose};
}

}  // namespace

std::uint64_t max_flattened(std::uint64_t file_bytes) {
  return max_values_bytes(file_bytes) + (std::uint64_t{128} << 20);
}

std::string flatten_hdf5(std::string_view bytes, TensorMetadata metadata,
                         const std::string& place) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Hdf5Handle file = open_image(bytes);
  const Hdf5Handle root(file.failed() ? -1 : H5Gopen2(file.get(), "/", H5P_DEFAULT), H5Gclose);
  if (root.failed()) {
    throw user_error("keras", "{} is damaged: HDF5 could not open it: is the file whole?", place);
  }
  Flattener flattener(std::move(metadata), place, bytes.size());
  flattener.group(root.get(), "", 0);
  return flattener.safetensors();
}

}  // namespace sluice
