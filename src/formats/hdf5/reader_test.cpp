#include "formats/hdf5/reader.h"

#include <cstring>

#include "base/confined.h"
#include "formats/hdf5/handle.h"
#include "formats/hdf5/writer.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

const std::vector<float> kSixValues{1, -2, 3.5f, 0, 1e-30f, -1e30f};

/// Converts in a separate process as import does, because libhdf5 may crash.
std::string flatten(const std::string& bytes) {
  const Confinement limits{"keras", "f.h5", "HDF5", std::uint64_t{1} << 30, 10, 1 << 28};
  return run_confined(limits, [&] { return flatten_hdf5(bytes, {}, "f.h5"); });
}
std::string refusal_of_hdf5(const std::string& bytes) {
  return error_of(Fault::user, [&] { flatten(bytes); });
}

/// A file made with HDF5's own functions.
class Hostile : public testing::Test {
 protected:
  Hostile()
      : access_(H5Pcreate(H5P_FILE_ACCESS), H5Pclose),
        file_((H5Pset_fapl_core(access_.get(), 1 << 16, 0),
               H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access_.get())),
              H5Fclose) {}

  std::string bytes() {
    H5Fflush(file_.get(), H5F_SCOPE_LOCAL);
    std::string image(static_cast<std::size_t>(H5Fget_file_image(file_.get(), nullptr, 0)), '\0');
    H5Fget_file_image(file_.get(), image.data(), image.size());
    return image;
  }

  Hdf5Handle dataset(const std::string& name, hid_t type, const std::vector<hsize_t>& sizes,
                     hid_t properties = H5P_DEFAULT) {
    const Hdf5Handle space(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
                           H5Sclose);
    return {H5Dcreate2(file_.get(), name.c_str(), type, space.get(), H5P_DEFAULT, properties,
                       H5P_DEFAULT),
            H5Dclose};
  }
  Hdf5Handle group(const std::string& name) {
    return {H5Gcreate2(file_.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose};
  }
  static Hdf5Handle properties() { return {H5Pcreate(H5P_DATASET_CREATE), H5Pclose}; }

  Hdf5Handle access_;
  Hdf5Handle file_;
};

TEST(Hdf5, WhatIsWrittenIsReadBack) {
  Hdf5Writer writer;
  writer.dataset("layers/conv2d/vars/0", {2, 3}, kSixValues);
  writer.dataset("scalar", {}, std::span(kSixValues).subspan(2, 1));
  writer.attribute("layers/conv2d/vars", "name", "conv1.1 \"\xc3\xb6\"");
  writer.group("vars");
  writer.attribute("vars", "name", "");
  const std::string bytes = writer.bytes();
  EXPECT_TRUE(bytes.starts_with("\x89HDF"));
  const Safetensors file = Safetensors::parse(flatten(bytes), "f");
  EXPECT_EQ(file.metadata(),
            (TensorMetadata{{"layers/conv2d/vars@name", "\"conv1.1 \\\"\xc3\xb6\\\"\""},
                            {"vars@name", "\"\""}}));
  ASSERT_EQ(file.tensors().size(), 2u);
  const Safetensors::Tensor* tensor = file.find("layers/conv2d/vars/0");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->shape, (Shape{2, 3}));
  std::vector<float> values(6);
  file.copy(*tensor, values);
  EXPECT_EQ(values, kSixValues);
  EXPECT_EQ(file.find("scalar")->shape, Shape{});
}

TEST(Hdf5, TheSameModelGivesTheSameBytes) {
  const auto write = [] {
    Hdf5Writer writer;
    writer.dataset("a/b", {6}, kSixValues);
    writer.attribute("a", "name", "x");
    return writer.bytes();
  };
  EXPECT_EQ(write(), write());
}

TEST_F(Hostile, OtherPrecisionsAreConvertedAndIntegersNoted) {
  const double doubles[] = {1.5, -2};
  const Hdf5Handle wide = dataset("wide", H5T_IEEE_F64BE, {2});
  H5Dwrite(wide.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, doubles);
  const Hdf5Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(half.get(), 15, 10, 5, 0, 10);
  H5Tset_size(half.get(), 2);
  H5Tset_ebias(half.get(), 15);
  const Hdf5Handle narrow = dataset("narrow", half.get(), {2});
  H5Dwrite(narrow.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, doubles);
  dataset("counter", H5T_STD_I64LE, {2});
  const Safetensors file = Safetensors::parse(flatten(bytes()), "f");
  for (const char* name : {"wide", "narrow"}) {
    std::vector<float> values(2);
    file.copy(*file.find(name), values);
    EXPECT_EQ(values, (std::vector<float>{1.5f, -2})) << name;
  }
  EXPECT_EQ(file.find("counter"), nullptr);
  EXPECT_EQ(file.metadata().at("counter@type"), "\"integers\"");
}

TEST_F(Hostile, AnOptimizerIsPassedOver) {
  const Hdf5Handle optimizer = group("optimizer");
  H5Lcreate_external("/etc/passwd", "/", optimizer.get(), "x", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_TRUE(Safetensors::parse(flatten(bytes()), "f").tensors().empty());
}

TEST_F(Hostile, Links) {
  const Hdf5Handle layers = group("layers");
  H5Lcreate_external("/etc/passwd", "/", layers.get(), "x", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_EQ(refusal_of_hdf5(bytes()),
            "[keras] f.h5: layers/x: is an external link, which Keras does not write");
  H5Ldelete(layers.get(), "x", H5P_DEFAULT);
  H5Lcreate_soft("/layers", layers.get(), "y", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_EQ(refusal_of_hdf5(bytes()),
            "[keras] f.h5: layers/y: is a soft link, which Keras does not write");
  H5Ldelete(layers.get(), "y", H5P_DEFAULT);
  H5Lcreate_hard(file_.get(), "layers", layers.get(), "itself", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_EQ(refusal_of_hdf5(bytes()), "[keras] f.h5: layers/itself: has more than one name");
}

TEST_F(Hostile, TooDeep) {
  std::string path = "g";
  for (int i = 0; i < 40; ++i, path += "/g") group(path);
  EXPECT_THAT(refusal_of_hdf5(bytes()), HasSubstr("groups are nested more than 32 deep"));
}

TEST_F(Hostile, DataElsewhere) {
  const Hdf5Handle external = properties();
  H5Pset_external(external.get(), "/etc/passwd", 0, 24);
  dataset("x", H5T_IEEE_F32LE, {6}, external.get());
  EXPECT_EQ(refusal_of_hdf5(bytes()),
            "[keras] f.h5: x: has its data in another file, which Keras does not write");
}

TEST_F(Hostile, VirtualData) {
  const hsize_t size = 6;
  const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
  const Hdf5Handle mapped = properties();
  H5Pset_virtual(mapped.get(), space.get(), "/etc/passwd", "x", space.get());
  dataset("v", H5T_IEEE_F32LE, {6}, mapped.get());
  EXPECT_EQ(refusal_of_hdf5(bytes()),
            "[keras] f.h5: v: is a virtual dataset, which Keras does not write");
}

TEST_F(Hostile, MoreDeclaredThanStored) {
  dataset("empty", H5T_IEEE_F32LE, {1000, 1000});
  EXPECT_EQ(refusal_of_hdf5(bytes()),
            "[keras] f.h5: empty: declares 4000000 bytes of data, but only 0 are stored");
}

TEST_F(Hostile, FarMoreDeclaredThanAnyFileHas) {
  dataset("huge", H5T_IEEE_F32LE, {1ull << 20, 1ull << 20});
  EXPECT_EQ(refusal_of_hdf5(bytes()),
            "[keras] f.h5: huge: declares more data than a file of this size can have");
}

TEST_F(Hostile, OverflowingShape) {
  const Hdf5Handle chunked = properties();
  const hsize_t chunk[] = {1, 1, 1};
  H5Pset_chunk(chunked.get(), 3, chunk);
  dataset("o", H5T_IEEE_F32LE, {1ull << 31, 1ull << 31, 16}, chunked.get());
  EXPECT_THAT(refusal_of_hdf5(bytes()), HasSubstr("f.h5: o: declares more data than"));
}

TEST_F(Hostile, ChunkBomb) {
  const Hdf5Handle packed = properties();
  const hsize_t chunk[] = {1 << 20};
  H5Pset_chunk(packed.get(), 1, chunk);
  H5Pset_deflate(packed.get(), 9);
  const Hdf5Handle set = dataset("bomb", H5T_IEEE_F32LE, {8 << 20}, packed.get());
  // One chunk of eight is stored, and compressed to almost nothing.
  const hsize_t size = 1 << 20;
  const hsize_t start = 0;
  const Hdf5Handle all(H5Dget_space(set.get()), H5Sclose);
  H5Sselect_hyperslab(all.get(), H5S_SELECT_SET, &start, nullptr, &size, nullptr);
  const Hdf5Handle part(H5Screate_simple(1, &size, nullptr), H5Sclose);
  const std::vector<float> zeros(size);
  H5Dwrite(set.get(), H5T_NATIVE_FLOAT, part.get(), all.get(), H5P_DEFAULT, zeros.data());
  EXPECT_THAT(refusal_of_hdf5(bytes()),
              HasSubstr("f.h5: bomb: declares 33554432 bytes of data, but only"));
}

TEST_F(Hostile, GzipAndShuffleAreReadAndNothingElse) {
  for (const bool checksum : {false, true}) {
    const Hdf5Handle packed = properties();
    const hsize_t chunk[] = {2};
    H5Pset_chunk(packed.get(), 1, chunk);
    H5Pset_shuffle(packed.get());
    H5Pset_deflate(packed.get(), 1);
    if (checksum) H5Pset_fletcher32(packed.get());
    const Hdf5Handle set = dataset(checksum ? "c" : "p", H5T_IEEE_F32LE, {6}, packed.get());
    H5Dwrite(set.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, kSixValues.data());
    if (checksum) {
      EXPECT_EQ(refusal_of_hdf5(bytes()),
                "[keras] f.h5: c: is packed with the filter 3, and only gzip and shuffle are read");
    } else {
      const Safetensors file = Safetensors::parse(flatten(bytes()), "f");
      std::vector<float> values(6);
      file.copy(*file.find("p"), values);
      EXPECT_EQ(values, kSixValues);
    }
  }
}

TEST_F(Hostile, AttributesOfTheWrongKind) {
  const hsize_t size = 3;
  const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
  Hdf5Handle(
      H5Acreate2(file_.get(), "layer_names", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  EXPECT_EQ(refusal_of_hdf5(bytes()), "[keras] f.h5: /@layer_names is not text");
}

TEST_F(Hostile, TypesAreNoDatasets) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tcommit2(file_.get(), "t", type.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_EQ(refusal_of_hdf5(bytes()), "[keras] f.h5: t: is neither a group nor a dataset");
}

TEST(Hdf5, AnyShorterOrFlippedFileIsReadOrRefused) {
  Hdf5Writer writer;
  writer.dataset("layers/dense/vars/0", {2, 3}, kSixValues);
  writer.attribute("layers/dense/vars", "name", "dense");
  const std::string whole = writer.bytes();
  const auto read = [](const std::string& bytes) {
    try {
      Safetensors::parse(flatten(bytes), "f");
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::user) << error.what();
    }
  };
  EXPECT_THAT(refusal_of_hdf5(whole.substr(0, 100)),
              HasSubstr("HDF5 could not open it: is the file whole?"));
  for (std::size_t size = 0; size < whole.size(); size += whole.size() / 40) {
    read(whole.substr(0, size));
  }
  std::uint32_t random = 1;
  for (int i = 0; i < 150; ++i) {
    random = random * 1664525 + 1013904223;
    std::string bytes = whole;
    // Half of the changes are in the first kilobyte, which has the structure.
    const std::size_t at = (random >> 8) % (i % 2 == 0 ? 1024 : bytes.size());
    bytes[at] = static_cast<char>(random >> 24);
    read(bytes);
  }
}

}  // namespace
}  // namespace sluice
