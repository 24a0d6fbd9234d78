#include "base/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"

namespace sluice {

namespace {

using Of = FileKind::Of;
using std::string_view_literals::operator""sv;

struct Magic {
  std::size_t at;
  std::string_view bytes;
  FileKind kind;
};

const std::array kMagics{
    Magic{0, "\x89PNG\r\n\x1a\n"sv, {Of::picture, "a PNG picture"}},
    Magic{0, "\xff\xd8\xff"sv, {Of::picture, "a JPEG picture"}},
    Magic{8, "WEBP"sv, {Of::picture, "a WebP picture"}},
    Magic{0, "GIF8"sv, {Of::picture, "a GIF picture"}},
    Magic{0, "II*\0"sv, {Of::picture, "a TIFF picture"}},
    Magic{0, "MM\0*"sv, {Of::picture, "a TIFF picture"}},
    Magic{0, "II+\0"sv, {Of::picture, "a TIFF picture"}},
    Magic{0, "MM\0+"sv, {Of::picture, "a TIFF picture"}},
    Magic{4, "ftypavi"sv, {Of::other_picture, "an AVIF picture"}},
    Magic{4, "ftyphei"sv, {Of::other_picture, "a HEIC picture"}},
    Magic{4, "ftyphev"sv, {Of::other_picture, "a HEIC picture"}},
    Magic{4, "ftypmif1"sv, {Of::other_picture, "a HEIC picture"}},
    Magic{4, "ftypmsf1"sv, {Of::other_picture, "a HEIC picture"}},
    Magic{4, "ftypcrx"sv, {Of::other_picture, "a camera's raw picture"}},
    Magic{4, "ftyp"sv, {Of::other_picture, "a video"}},
    Magic{0, "\0\0\0\x0cjP  "sv, {Of::other_picture, "a JPEG 2000 picture"}},
    Magic{0, "\xff\x4f\xff\x51"sv, {Of::other_picture, "a JPEG 2000 picture"}},
    Magic{0, "\0\0\0\x0cJXL "sv, {Of::other_picture, "a JPEG XL picture"}},
    Magic{0, "\xff\x0a"sv, {Of::other_picture, "a JPEG XL picture"}},
    Magic{0, "8BPS"sv, {Of::other_picture, "a Photoshop file"}},
    Magic{0, "gimp xcf"sv, {Of::other_picture, "a GIMP file"}},
    Magic{0, "\0\0\1\0"sv, {Of::other_picture, "an icon (ICO)"}},
    Magic{0, "\x89HDF\r\n\x1a\n"sv, {Of::keras, "an HDF5 file, as Keras writes them"}},
    Magic{4, "TFL3"sv, {Of::model, "a TensorFlow Lite model"}},
    Magic{0, "GGUF"sv, {Of::model, "a GGUF model"}},
    Magic{0, "\x93NUMPY"sv, {Of::model, "a NumPy array"}},
    Magic{0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"sv, {Of::pytorch, "a PyTorch model"}},
    Magic{0, "\x1f\x8b"sv, {Of::archive, "a gzip archive"}},
    Magic{0, "BZh"sv, {Of::archive, "a bzip2 archive"}},
    Magic{0,
          "\xfd"
          "7zXZ\0"sv,
          {Of::archive, "an xz archive"}},
    Magic{0, "7z\xbc\xaf\x27\x1c"sv, {Of::archive, "a 7z archive"}},
    Magic{257, "ustar"sv, {Of::archive, "a tar archive"}},
    Magic{0, "version https://git-lfs"sv, {Of::pointer, "a pointer of Git LFS"}},
    Magic{0, "%PDF-"sv, {Of::document, "a PDF document"}},
};

/// Identifies a zip archive's writer by the name of the first member.
FileKind zip_kind(std::string_view bytes) {
  constexpr std::size_t kNameLength = 26;
  constexpr std::size_t kName = 30;
  std::uint16_t length = 0;
  if (bytes.size() >= kName) std::memcpy(&length, bytes.data() + kNameLength, sizeof length);
  const std::string_view name =
      bytes.size() >= kName ? bytes.substr(kName, length) : std::string_view();
  if (name == "metadata.json" || name == "config.json" || name == "model.weights.h5") {
    return {Of::keras, "a Keras model"};
  }
  if (name.ends_with("/data.pkl")) return {Of::pytorch, "a PyTorch model"};
  if (name.ends_with(".npy")) return {Of::model, "NumPy arrays"};
  return {Of::archive, "a zip archive"};
}

/// Checks for the header's length in 8 bytes, followed by JSON.
bool is_safetensors(std::string_view bytes) {
  std::uint64_t length = 0;
  if (bytes.size() <= sizeof length || bytes[sizeof length] != '{') return false;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length < (std::uint64_t{1} << 32);
}

/// Checks for a ModelProto: the format's version, then one of the fields that follow it.
bool is_onnx(std::string_view bytes) {
  return bytes.size() > 3 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 0x20 &&
         "\x12\x1a\x22\x28\x32\x3a\x42\x72"sv.find(bytes[2]) != std::string_view::npos;
}

/// Checks for PyTorch's old pickles: a protocol, then an opcode of a string, a number, a tuple or a
/// frame.
bool is_pickle(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5 &&
         "\x95\x8a}c(X]K\x8c"sv.find(bytes[2]) != std::string_view::npos;
}

FileKind text_kind(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (;;) {  // skips empty lines and comments
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    if (!text.starts_with('#')) break;
    text.remove_prefix(std::min(text.size(), text.find('\n')));
  }
  const std::string_view line = text.substr(0, text.find('\n'));
  if (text.starts_with('{')) return {Of::document, "a JSON text"};
  if (text.starts_with("<svg")) return {Of::other_picture, "an SVG picture"};
  if (text.starts_with('<')) return {Of::document, "a page of HTML or XML"};
  const std::size_t equals = line.find('=');
  const std::string_view key = line.substr(0, std::min(equals, line.size()));
  if ((text.starts_with('[') && line.find(']') != std::string_view::npos &&
       line.find(',') == std::string_view::npos) ||
      (equals != std::string_view::npos && key.find_first_of("(){};:<>") == key.npos)) {
    return {Of::experiment, "a TOML file"};
  }
  return {Of::text, "a text"};
}

bool is_text(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f') return false;
    if (byte == 0x7f) return false;
  }
  return true;
}

/// Returns how to use a file of this kind.
std::string advice(Of of, const std::string& place) {
  switch (of) {
    case Of::sluice:
      return fmt::format("use it with `sluice predict {0} PICTURE` or `sluice summary {0}`", place);
    case Of::keras:
      return fmt::format("make a run of it with `sluice import {}`", place);
    case Of::onnx:
      return fmt::format("make a run of it with `sluice import baseline={}`", place);
    case Of::safetensors:
    case Of::pytorch:
    case Of::model:
      return "Sluice reads its own models, those that Keras saved, and ONNX";
    case Of::picture:
      return fmt::format("`sluice predict RUN {}` classifies it", place);
    case Of::other_picture:
      return "convert it to JPEG";
    case Of::archive:
      return "unpack it first";
    case Of::experiment:
      return fmt::format("train an experiment with `sluice train {}`", place);
    case Of::pointer:
      return "fetch the file itself with `git lfs pull`";
    case Of::empty:
      return "copy it again";
    case Of::document:
    case Of::text:
    case Of::unknown:
      break;
  }
  return "check the path";
}

}  // namespace

FileKind kind_of(std::string_view bytes) {
  if (bytes.empty()) return {Of::empty, "empty"};
  for (const Magic& magic : kMagics) {
    if (bytes.size() > magic.at && bytes.substr(magic.at).starts_with(magic.bytes)) {
      return magic.kind;
    }
  }
  if (bytes.starts_with("PK\x03\x04")) return zip_kind(bytes);
  if (is_safetensors(bytes)) {
    // The metadata comes first in the file.
    const bool own = bytes.find("\"format\":\"sluice ") != std::string_view::npos;
    return own ? FileKind{Of::sluice, "a model of Sluice"}
               : FileKind{Of::safetensors, "a safetensors file of another program"};
  }
  if (is_onnx(bytes)) return {Of::onnx, "an ONNX model"};
  if (is_pickle(bytes)) return {Of::pytorch, "a pickle of Python, as PyTorch writes them"};
  if (bytes.starts_with("BM") && !is_text(bytes)) return {Of::picture, "a BMP picture"};
  if (is_text(bytes)) return text_kind(bytes);
  return {};
}

FileKind kind_of_file(const std::filesystem::path& file, std::string_view tag) {
  return kind_of(read_beginning(file, kKindBytes, tag));
}

Error wrong_kind(std::string_view tag, const std::string& place, FileKind kind,
                 std::string_view wanted) {
  return user_error(tag, "{} is {}, not {}: {}", place,
                    kind.known() ? kind.words : "a file of unknown kind", wanted,
                    advice(kind.of, place));
}

}  // namespace sluice
