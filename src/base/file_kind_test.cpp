#include "base/file_kind.h"

#include <utility>

#include "base/files.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using std::string_literals::operator""s;

/// Returns the beginning of a zip archive with one member.
std::string zip_of(const std::string& name) {
  std::string head = "PK\x03\x04"s + std::string(22, '\0');
  head += static_cast<char>(name.size());
  return head + std::string(3, '\0') + name + "data";
}

std::string safetensors_of(const std::string& header) {
  return std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header;
}

TEST(FileKinds, FirstBytesTell) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "empty"},
      {"\x89PNG\r\n\x1a\n"s, "a PNG picture"},
      {"\xff\xd8\xff\xe0"s, "a JPEG picture"},
      {"RIFF\x10\0\0\0WEBPVP8 "s, "a WebP picture"},
      {"GIF89a", "a GIF picture"},
      {"BM\x10\0\0\0\0"s, "a BMP picture"},
      {"\x89HDF\r\n\x1a\n"s, "an HDF5 file, as Keras writes them"},
      {zip_of("metadata.json"), "a Keras model"},
      {zip_of("config.json"), "a Keras model"},
      {zip_of("net/data.pkl"), "a PyTorch model"},
      {zip_of("arr_0.npy"), "NumPy arrays"},
      {zip_of("cat.jpg"), "a zip archive"},
      {"PK\x03\x04", "a zip archive"},
      {"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20"s, "a PyTorch model"},
      {"\x80\x04\x95\x10"s, "a pickle of Python, as PyTorch writes them"},
      {"\x08\x0a\x12\x07pytorch"s, "an ONNX model"},
      {"\x08\x08\x3a\x90\x01"s, "an ONNX model"},
      {"\x1c\0\0\0TFL3"s, "a TensorFlow Lite model"},
      {safetensors_of(R"({"__metadata__":{"format":"sluice 2"}})"), "a model of Sluice"},
      {safetensors_of(R"({"__metadata__":{"format":"pt"}})"),
       "a safetensors file of another program"},
      {"\x1f\x8b\x08"s, "a gzip archive"},
      {std::string(257, '\0') + "ustar", "a tar archive"},
      {"{\"format\": 1}", "a JSON text"},
      {"<!DOCTYPE html>", "a page of HTML or XML"},
      {"# lab\n\nseed = 0\n", "a TOML file"},
      {"[data]\nset = 1\n", "a TOML file"},
      {"epoch,loss\n1,2\n", "a text"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer of Git LFS"},
      {"\x01\x02\x03"s, ""},
      {std::string(100, '\0'), ""},
  };
  for (const auto& [bytes, words] : cases) EXPECT_STREQ(kind_of(bytes).words, words) << bytes;
}

TEST(FileKinds, AKindIsKnownHoweverLittleThereIsOfIt) {
  for (const std::string& whole : {"\x89HDF\r\n\x1a\n"s, zip_of("metadata.json"), "\x80\x04\x95"s,
                                   safetensors_of("{}"), "\x08\x0a\x12\x07"s}) {
    for (std::size_t size = 0; size < whole.size(); ++size) kind_of(whole.substr(0, size));
  }
}

TEST(FileKinds, AMessageSaysWhatTakesIt) {
  const auto said = [](const std::string& bytes) {
    return std::string(wrong_kind("tag", "x", kind_of(bytes), "a run").what());
  };
  EXPECT_EQ(said(zip_of("config.json")),
            "[tag] x is a Keras model, not a run: make a run of it with `sluice import x`");
  EXPECT_EQ(said("\x89PNG\r\n\x1a\n"),
            "[tag] x is a PNG picture, not a run: `sluice predict RUN x` classifies it");
  EXPECT_EQ(said("a = 1"),
            "[tag] x is a TOML file, not a run: train an experiment with `sluice train x`");
  EXPECT_EQ(said("\x01"), "[tag] x is a file of unknown kind, not a run: check the path");
}

TEST(FileKinds, OfAFile) {
  const ScratchFolder temp;
  save(temp / "a.png", "GIF89a" + std::string(2 * kKindBytes, 'x'));
  EXPECT_STREQ(kind_of_file(temp / "a.png", "tag").words, "a GIF picture");
}

}  // namespace
}  // namespace sluice
