#include <algorithm>
#include <array>

#include "data/image_codecs.h"

namespace sluice {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t at;
  std::string_view bytes;
  std::string_view kind;
};

constexpr std::array kSignatures{
    Signature{0, "\x89PNG\r\n\x1a\n"sv, "PNG"},
    Signature{0, "\xff\xd8\xff"sv, "JPEG"},
    Signature{8, "WEBP"sv, "WebP"},
    Signature{0, "GIF8"sv, "GIF"},
    Signature{0, "BM"sv, "BMP"},
    Signature{0, "II*\0"sv, "TIFF"},
    Signature{0, "MM\0*"sv, "TIFF"},
    Signature{0, "II+\0"sv, "TIFF"},
    Signature{0, "MM\0+"sv, "TIFF"},
    Signature{4, "ftypavi"sv, "AVIF"},
    Signature{4, "ftyphei"sv, "HEIC"},
    Signature{4, "ftyphev"sv, "HEIC"},
    Signature{4, "ftypmif1"sv, "HEIC"},
    Signature{4, "ftypmsf1"sv, "HEIC"},
    Signature{4, "ftyp"sv, "a video"},
    Signature{0, "\0\0\0\x0cjP  "sv, "JPEG 2000"},
    Signature{0, "\xff\x4f\xff\x51"sv, "JPEG 2000"},
    Signature{0, "\0\0\0\x0cJXL "sv, "JPEG XL"},
    Signature{0, "\xff\x0a"sv, "JPEG XL"},
    Signature{0, "8BPS"sv, "a Photoshop file"},
    Signature{0, "\0\0\1\0"sv, "an icon (ICO)"},
    Signature{0, "%PDF"sv, "PDF"},
    Signature{0, "PK\3\4"sv, "a ZIP archive"},
    Signature{0, "\x1f\x8b"sv, "gzip"},
    Signature{0, "version https://git-lfs"sv, "a Git LFS pointer"},
};

/// Text is recognised by its first word, in any case, after any white space.
constexpr std::array kTexts{
    Signature{0, "<!doctype html"sv, "HTML"}, Signature{0, "<html"sv, "HTML"},
    Signature{0, "<head"sv, "HTML"},          Signature{0, "<svg"sv, "SVG"},
    Signature{0, "<?xml"sv, "XML"},           Signature{0, "{"sv, "JSON"},
};

}  // namespace

std::string_view kind_of_file(std::string_view bytes) {
  const auto named = [&](const Signature& signature, std::string_view in) {
    return in.size() > signature.at && in.substr(signature.at).starts_with(signature.bytes);
  };
  for (const Signature& each : kSignatures) {
    if (named(each, bytes)) return each.kind;
  }
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  bytes.remove_prefix(std::min(bytes.size(), bytes.find_first_not_of(" \t\r\n")));
  std::string begin(bytes.substr(0, 64));
  for (char& c : begin) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const Signature& each : kTexts) {
    if (named(each, begin)) return each.kind;
  }
  return {};
}

}  // namespace sluice
