#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "base/fail.h"
#include "data/codecs/pixels.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

constexpr const char* kGif = "GIF";

/// The part of a file that giflib has not read yet.
struct GifSource {
  std::span<const std::uint8_t> left;
  bool ended = false;
};

int read_gif(GifFileType* gif, GifByteType* to, int count) {
  auto* source = static_cast<GifSource*>(gif->UserData);
  const std::size_t size = std::min(static_cast<std::size_t>(count), source->left.size());
  if (size > 0) std::memcpy(to, source->left.data(), size);
  source->left = source->left.subspan(size);
  source->ended = source->ended || size < static_cast<std::size_t>(count);
  return static_cast<int>(size);
}

struct CloseGif {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, CloseGif>;

/// Reads up to the first frame's header, and returns its transparent colour in `transparent`.
bool find_frame(GifFileType* gif, int& transparent) {
  for (;;) {
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(gif, &record) != GIF_OK) return false;
    if (record == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(gif) == GIF_OK;
    if (record != EXTENSION_RECORD_TYPE) return false;
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(gif, &code, &block) != GIF_OK) return false;
    while (block != nullptr) {
      GraphicsControlBlock control;
      if (code == GRAPHICS_EXT_FUNC_CODE &&
          DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
        transparent = control.TransparentColor;
      }
      if (DGifGetExtensionNext(gif, &block) != GIF_OK) return false;
    }
  }
}

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

/// Returns the frame's colours, or the file's. Colours that are missing are grey, as in Pillow.
Palette palette_of(const GifFileType& gif, int transparent) {
  Palette palette;
  for (std::size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<std::uint8_t>(i));
  const ColorMapObject* map = gif.Image.ColorMap != nullptr ? gif.Image.ColorMap : gif.SColorMap;
  for (int i = 0; map != nullptr && i < std::min(map->ColorCount, 256); ++i) {
    palette[i] = {map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue};
  }
  if (transparent >= 0) palette[transparent].fill(255);
  return palette;
}

/// Returns the order in which a frame's rows are stored.
std::vector<int> order_of_rows(int height, bool interlaced) {
  std::vector<int> rows;
  if (!interlaced) {
    for (int y = 0; y < height; ++y) rows.push_back(y);
  } else {
    for (const auto& [first, step] : {std::pair{0, 8}, {4, 8}, {2, 4}, {1, 2}}) {
      for (int y = first; y < height; y += step) rows.push_back(y);
    }
  }
  return rows;
}

}  // namespace

Image decode_gif(const EncodedImage& file) {
  GifSource source{file.bytes};
  int error = 0;
  const Gif gif(DGifOpen(&source, read_gif, &error));
  const auto fault = [&] {
    const char* reason = GifErrorString(gif ? gif->Error : error);
    return source.ended ? file.cut_short(kGif)
                        : file.broken(kGif, reason != nullptr ? reason : "it has no picture");
  };
  int transparent = NO_TRANSPARENT_COLOR;
  if (!gif || !find_frame(gif.get(), transparent)) throw fault();
  const GifImageDesc& frame = gif->Image;
  if (frame.Left < 0 || frame.Top < 0 || frame.Width < 1 || frame.Height < 1) throw fault();
  // A frame that is larger than the picture enlarges it, as in Pillow.
  const int width = std::max(gif->SWidth, frame.Left + frame.Width);
  const int height = std::max(gif->SHeight, frame.Top + frame.Height);
  file.begin(height, width, 1, 3);

  const Palette palette = palette_of(*gif, transparent);
  Image image{height, width, {}};
  image.pixels.resize(std::size_t{3} * static_cast<std::size_t>(height) * width);
  const auto& outside = palette[transparent >= 0 ? transparent : 0];
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = outside[i % 3];
  std::vector<GifPixelType> line(static_cast<std::size_t>(frame.Width));
  for (const int y : order_of_rows(frame.Height, frame.Interlace)) {
    if (DGifGetLine(gif.get(), line.data(), frame.Width) != GIF_OK) throw fault();
    std::uint8_t* out =
        image.pixels.data() + 3 * (static_cast<std::size_t>(frame.Top + y) * width + frame.Left);
    for (const GifPixelType colour : line) {
      out = std::copy_n(palette[colour].data(), 3, out);
    }
  }
  return image;
}

}  // namespace sluice
