#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/fail.h"
#include "data/codecs/pixels.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

constexpr const char* kWebp = "WebP";

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

/// Whether the file ends before its header says.
bool webp_is_cut_short(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 12) return true;
  const std::uint32_t size = bytes[4] | std::uint32_t{bytes[5]} << 8 |
                             std::uint32_t{bytes[6]} << 16 | std::uint32_t{bytes[7]} << 24;
  return bytes.size() - 8 < size;
}

int orientation_of_webp(WebPDemuxer* demuxer) {
  constexpr std::string_view kName("Exif\0\0", 6);  // some programs write it here too
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) == 0) return 1;
  std::span<const std::uint8_t> exif(chunk.chunk.bytes, chunk.chunk.size);
  if (exif.size() > kName.size() && std::equal(kName.begin(), kName.end(), exif.begin())) {
    exif = exif.subspan(kName.size());
  }
  const int orientation = exif_orientation(exif);
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

}  // namespace

Image decode_webp(const EncodedImage& file) {
  const auto fault = [&] {
    return webp_is_cut_short(file.bytes) ? file.cut_short(kWebp)
                                         : file.broken(kWebp, "its data is not valid");
  };
  const WebPData data{file.bytes.data(), file.bytes.size()};
  const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&data));
  WebPIterator frame;
  if (!demuxer || WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) throw fault();
  const std::unique_ptr<WebPIterator, void (*)(WebPIterator*)> release(
      &frame, [](WebPIterator* it) { WebPDemuxReleaseIterator(it); });
  const auto height = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT));
  const auto width = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH));
  const int orientation = orientation_of_webp(demuxer.get());
  constexpr int kDecoder = 4;  // bytes that libwebp needs for a pixel
  file.begin(height, width, orientation,
             kDecoder + 3 + (frame.has_alpha != 0 || orientation != 1 ? 4 : 0));

  // The frame may be a part of the canvas.
  Image image{height, width, {}};
  const std::size_t row = std::size_t{3} * static_cast<std::size_t>(width);
  image.pixels.assign(row * static_cast<std::size_t>(height), 255);
  std::uint8_t* first = image.pixels.data() + row * static_cast<std::size_t>(frame.y_offset) +
                        std::size_t{3} * static_cast<std::size_t>(frame.x_offset);
  const std::span encoded(frame.fragment.bytes, frame.fragment.size);
  if (frame.has_alpha == 0) {
    const std::size_t room =
        static_cast<std::size_t>(image.pixels.data() + image.pixels.size() - first);
    if (WebPDecodeRGBInto(encoded.data(), encoded.size(), first, room, static_cast<int>(row)) ==
        nullptr) {
      throw fault();
    }
    return file.turned(std::move(image), orientation);
  }
  std::vector<std::uint8_t> rgba(std::size_t{4} * static_cast<std::size_t>(frame.width) *
                                 frame.height);
  if (WebPDecodeRGBAInto(encoded.data(), encoded.size(), rgba.data(), rgba.size(),
                         4 * frame.width) == nullptr) {
    throw fault();
  }
  draw_over_white(rgba);
  const std::size_t part = std::size_t{3} * static_cast<std::size_t>(frame.width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(frame.height); ++y) {
    std::copy_n(rgba.data() + y * part, part, first + y * row);
  }
  return file.turned(std::move(image), orientation);
}

}  // namespace sluice
