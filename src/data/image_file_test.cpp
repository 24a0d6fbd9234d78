#include <gmock/gmock.h>
#include <png.h>
#include <turbojpeg.h>

#include <array>
#include <atomic>
#include <cstdio>

#include "data/read_images.h"
#include "sluice/dataset.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

struct Png {
  int width = 2;
  int height = 1;
  int depth = 8;
  int colour = PNG_COLOR_TYPE_RGB;
  std::string row;  ///< empty: the file ends with the header of the pixels
};

/// Writes with libpng's full interface, which supports every kind.
void save_png(const std::filesystem::path& path, const Png& png) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(writer);
  png_init_io(writer, file);
  png_set_IHDR(writer, info, static_cast<png_uint_32>(png.width),
               static_cast<png_uint_32>(png.height), png.depth, png.colour, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  const std::array<png_color, 2> palette{png_color{1, 2, 3}, png_color{200, 100, 50}};
  if (png.colour == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(writer, info, palette.data(), 2);
  png_write_info(writer, info);
  if (!png.row.empty()) {
    for (int y = 0; y < png.height; ++y) {
      png_write_row(writer, reinterpret_cast<png_const_bytep>(png.row.data()));
    }
    png_write_end(writer, info);
  } else {
    png_write_chunk(writer, reinterpret_cast<png_const_bytep>("IDAT"), nullptr, 0);
  }
  png_destroy_write_struct(&writer, &info);
  std::fclose(file);
}

std::vector<std::uint8_t> pixels_of(const ScratchFolder& folder, const Png& png) {
  save_png(folder / "a.png", png);
  const Image image = read_image(folder / "a.png");
  EXPECT_EQ(image.width, png.width);
  EXPECT_EQ(image.height, png.height);
  return image.pixels;
}

using Bytes = std::vector<std::uint8_t>;

std::string jpeg(int format, int subsampling, int width, int height, const Bytes& pixels,
                 int flags = 0) {
  tjhandle encoder = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  EXPECT_EQ(tjCompress2(encoder, pixels.data(), width, 0, height, format, &bytes, &size,
                        subsampling, 100, flags),
            0);
  std::string result(reinterpret_cast<char*>(bytes), size);
  tjFree(bytes);
  tjDestroy(encoder);
  return result;
}

/// Returns a JPEG whose header has this height and width, two bytes each.
std::string jpeg_that_claims(const std::string& size) {
  std::string bytes = jpeg(TJPF_GRAY, TJSAMP_GRAY, 8, 8, Bytes(64, 77));
  const std::size_t frame = bytes.find("\xff\xc0");
  EXPECT_NE(frame, std::string::npos);
  return bytes.replace(frame + 5, size.size(), size);
}

TEST(ImageFile, EveryKindOfPngBecomesRgb) {
  const ScratchFolder folder;
  using std::string_literals::operator""s;
  EXPECT_EQ(pixels_of(folder, {.row = "\1\2\3\4\5\6"}), (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(pixels_of(folder, {.colour = PNG_COLOR_TYPE_GRAY, .row = "\x10\xf0"}),
            (Bytes{16, 16, 16, 240, 240, 240}));
  EXPECT_EQ(pixels_of(folder, {.depth = 1, .colour = PNG_COLOR_TYPE_GRAY, .row = "\x40"}),
            (Bytes{0, 0, 0, 255, 255, 255}));
  // 16 bits have the same brightness with finer steps, not linear light.
  EXPECT_EQ(pixels_of(folder, {.depth = 16, .row = "\x10\x10\x80\x80\xf0\xf0\0\0\0\0\0\0"s}),
            (Bytes{0x10, 0x80, 0xf0, 0, 0, 0}));
  EXPECT_EQ(pixels_of(folder, {.colour = PNG_COLOR_TYPE_PALETTE, .row = "\1\0"s}),
            (Bytes{200, 100, 50, 1, 2, 3}));
  // A transparent pixel becomes white, an opaque one stays.
  EXPECT_EQ(pixels_of(folder, {.colour = PNG_COLOR_TYPE_RGB_ALPHA, .row = "\1\2\3\0\4\5\6\xff"s}),
            (Bytes{255, 255, 255, 4, 5, 6}));
  EXPECT_EQ(pixels_of(folder, {.colour = PNG_COLOR_TYPE_GRAY_ALPHA, .row = "\1\0\4\xff"s}),
            (Bytes{255, 255, 255, 4, 4, 4}));
}

TEST(ImageFile, EveryKindOfJpegBecomesRgb) {
  const ScratchFolder folder;
  const auto read = [&](const std::string& bytes) {
    save(folder / "a.png", bytes);  // the name does not matter
    return read_image(folder / "a.png");
  };
  Bytes red;
  for (int i = 0; i < 64; ++i) red.insert(red.end(), {250, 0, 0});
  const Image image = read(jpeg(TJPF_RGB, TJSAMP_444, 16, 4, red));
  EXPECT_EQ(image.width, 16);
  EXPECT_EQ(image.height, 4);
  ASSERT_EQ(image.pixels.size(), red.size());
  for (std::size_t i = 0; i < red.size(); ++i) EXPECT_NEAR(image.pixels[i], red[i], 3) << i;

  EXPECT_THAT(read(jpeg(TJPF_GRAY, TJSAMP_GRAY, 8, 8, Bytes(64, 77))).pixels, Each(77));
  EXPECT_EQ(read(jpeg(TJPF_GRAY, TJSAMP_GRAY, 8, 8, Bytes(64, 77))).pixels.size(), 192u);

  Bytes ink;
  for (int i = 0; i < 64; ++i) ink.insert(ink.end(), {200, 100, 0, 128});
  const Image from_ink = read(jpeg(TJPF_CMYK, TJSAMP_444, 8, 8, ink));
  ASSERT_EQ(from_ink.pixels.size(), 192u);
  EXPECT_NEAR(from_ink.pixels[0], 100, 3);
  EXPECT_NEAR(from_ink.pixels[1], 50, 3);
  EXPECT_NEAR(from_ink.pixels[2], 0, 3);
}

TEST(ImageFile, BrokenFilesAreNamed) {
  const ScratchFolder folder;
  const auto error = [&](const std::string& bytes) {
    save(folder / "broken.jpg", bytes);
    return error_of(Fault::user, [&] { read_image(folder / "broken.jpg"); });
  };
  Bytes noise(64 * 64 * 3);
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<std::uint8_t>(i * i / 7);
  const std::string whole_jpeg = jpeg(TJPF_RGB, TJSAMP_420, 64, 64, noise);
  write_png(folder / "whole.png", noise, 64, 64);
  const std::string whole_png = load(folder / "whole.png");
  std::string flipped = whole_png;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x55);

  EXPECT_THAT(error(""), HasSubstr("[image] "));
  EXPECT_THAT(error(""), HasSubstr("broken.jpg is empty: replace or delete it"));
  EXPECT_THAT(error("no picture"), HasSubstr("broken.jpg is a text, not a picture: replace or"));
  for (const std::size_t size : {std::size_t{8}, std::size_t{40}, whole_png.size() / 2}) {
    EXPECT_THAT(error(whole_png.substr(0, size)),
                HasSubstr("broken.jpg is cut short: it is a PNG without its end: replace or"));
  }
  EXPECT_THAT(error(flipped), HasSubstr("broken.jpg is a broken PNG: "));
  for (const std::size_t size : {std::size_t{3}, std::size_t{400}, whole_jpeg.size() / 2}) {
    EXPECT_THAT(error(whole_jpeg.substr(0, size)),
                HasSubstr("broken.jpg is cut short: it is a JPEG without its end: replace or"));
  }
  std::string no_tables = whole_jpeg;
  no_tables.replace(no_tables.find("\xff\xdb"), 2, "\xff\xfe");  // a comment
  EXPECT_THAT(error(no_tables), HasSubstr("broken.jpg is a broken JPEG: "));
  save(folder / "whole.jpg", whole_jpeg);
  EXPECT_NO_THROW(read_image(folder / "whole.jpg"));
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder / "none.png"); }),
              HasSubstr("none.png does not exist: check the path"));
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder.path()); }), HasSubstr(", not a file"));
}

TEST(ImageFile, AnotherFormatIsNamedByItsFirstBytes) {
  const ScratchFolder folder;
  const auto error = [&](const std::string& bytes) {
    save(folder / "a.jpg", bytes);
    return error_of(Fault::user, [&] { read_image(folder / "a.jpg"); });
  };
  using namespace std::string_literals;
  for (const auto& [bytes, kind] : {
           std::pair{"\0\0\0 ftypavif"s, "an AVIF picture"},
           {"\0\0\0 ftypheic"s, "a HEIC picture"},
           {"\0\0\0 ftypmp42"s, "a video"},
           {"8BPS\0\1"s, "a Photoshop file"},
           {"<svg width='3'>", "an SVG picture"},
       }) {
    EXPECT_THAT(error(bytes), HasSubstr("a.jpg is "s + kind +
                                        ", which Sluice does not read: convert it to JPEG"));
  }
  for (const auto& [bytes, kind] : {
           std::pair{"\r\n<!DOCTYPE HTML><title>404</title>"s, "a page of HTML or XML"},
           {"\xef\xbb\xbf<Html lang=en>", "a page of HTML or XML"},
           {"%PDF-1.4", "a PDF document"},
           {"PK\3\4", "a zip archive"},
       }) {
    EXPECT_THAT(error(bytes), HasSubstr("a.jpg is "s + kind + ", not a picture: replace or"));
  }
  EXPECT_THAT(error("\1\2\3"), HasSubstr("a.jpg is no picture of a known format, whatever"));
}

TEST(ImageFile, JpegWithPaddingIsRead) {
  const ScratchFolder folder;
  std::string bytes = jpeg(TJPF_GRAY, TJSAMP_GRAY, 8, 8, Bytes(64, 77));
  bytes.insert(bytes.find("\xff\xdb"), "pad");  // before the quantisation tables
  save(folder / "a.jpg", bytes);
  EXPECT_THAT(read_image(folder / "a.jpg").pixels, Each(77));
}

TEST(ImageFile, ColoursOfHalfTheSizeAreSmoothed) {
  const ScratchFolder folder;
  Bytes halves;
  for (int i = 0; i < 16 * 16; ++i) {
    const bool left = i % 16 < 8;
    for (const int shade : {left ? 250 : 0, 0, left ? 0 : 250}) {
      halves.push_back(static_cast<std::uint8_t>(shade));
    }
  }
  save(folder / "a.jpg", jpeg(TJPF_RGB, TJSAMP_420, 16, 16, halves));
  const Bytes pixels = read_image(folder / "a.jpg").pixels;
  EXPECT_NEAR(pixels[0], 250, 5);
  EXPECT_NEAR(pixels[3 * 7 + 2], 250 / 4, 25) << "a quarter of the blue beside it";
}

TEST(ImageFile, AJpegOfHundredsOfPassesIsRefused) {
  const ScratchFolder folder;
  const std::string whole = jpeg(TJPF_GRAY, TJSAMP_GRAY, 8, 8, Bytes(64, 77), TJFLAG_PROGRESSIVE);
  save(folder / "a.jpg", whole);
  EXPECT_THAT(read_image(folder / "a.jpg").pixels, Each(77));
  const std::size_t scan = whole.rfind("\xff\xda");
  const std::string last = whole.substr(scan, whole.size() - 2 - scan);
  std::string many = whole.substr(0, whole.size() - 2);
  for (int i = 0; i < 600; ++i) many += last;
  save(folder / "a.jpg", many + "\xff\xd9");
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder / "a.jpg"); }), HasSubstr("scans"));
}

TEST(ReadImages, TellWhatIsWrongWithEach) {
  const ScratchFolder folder;
  write_png(folder / "a.png", Bytes(3, 5), 1, 1);
  save(folder / "b.png", "no picture");
  const std::vector<std::filesystem::path> files{folder / "a.png", folder / "b.png"};
  std::atomic<int> taken = 0;
  const auto take = [&](std::size_t i, const Image& image) {
    EXPECT_EQ(i, 0u);
    EXPECT_EQ(image.pixels, Bytes(3, 5));
    ++taken;
  };
  const auto faults = read_images(files, {}, take);
  EXPECT_EQ(taken, 1);
  EXPECT_FALSE(faults[0]);
  EXPECT_THAT(faults[1]->what(), HasSubstr("b.png is a text, not a picture"));
}

TEST(ImageFile, NoPixelsAreNoImage) {
  const ScratchFolder folder;
  save_png(folder / "none.png", {.width = 1, .height = 4, .row = ""});
  std::string png = load(folder / "none.png");
  png.replace(16, 4, std::string(4, '\0'));  // the width
  png.replace(29, 4, "\x2f\x78\xa9\x53");    // checksum of that header
  save(folder / "none.png", png);
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder / "none.png"); }),
              HasSubstr("none.png is a broken PNG: Invalid IHDR data"));
  save(folder / "none.jpg", jpeg_that_claims(std::string(4, '\0')));
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder / "none.jpg"); }),
              HasSubstr("none.jpg is a broken JPEG: "));
}

TEST(ImageFile, HugeHeadersTakeNoMemory) {
  const ScratchFolder folder;
  save_png(folder / "huge.png", {.width = 60000, .height = 60000, .row = ""});
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder / "huge.png"); }),
              HasSubstr("huge.png has 60000 x 60000 pixels, above 178 million or 65535 a side"));
  save_png(folder / "wide.png", {.width = 70000, .height = 1, .row = ""});
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder / "wide.png"); }),
              HasSubstr("70000 x 1 pixels"));

  save(folder / "huge.jpg", jpeg_that_claims("\xf0\xf0\xf0\xf0"));
  EXPECT_THAT(error_of(Fault::user, [&] { read_image(folder / "huge.jpg"); }),
              HasSubstr("huge.jpg has 61680 x 61680 pixels"));
}

TEST(ImageFile, WritingPngAndReadingBack) {
  const ScratchFolder folder;
  const Bytes pixels{1, 2, 3, 4, 5, 6, 250, 251, 252, 253, 254, 255};
  save(folder / "a.png", "an old file");
  write_png(folder / "a.png", pixels, 2, 2);
  const Image image = read_image(folder / "a.png");
  EXPECT_EQ(image.pixels, pixels);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);

  EXPECT_THAT(error_of(Fault::user, [&] { write_png(folder / "a.png", pixels, 2, 3); }),
              HasSubstr("12 bytes for 3 x 2 pixels: give 18"));
  EXPECT_THAT(error_of(Fault::user, [&] { write_png(folder / "a.png", {}, 0, 3); }),
              HasSubstr("3 x 0 pixels"));
  EXPECT_THAT(error_of(Fault::user, [&] { write_png(folder / "no/such/a.png", pixels, 2, 2); }),
              HasSubstr("no/such/a.png: cannot be written: No such file or directory"));
}

TEST(Resize, SameSizeIsExact) {
  const Image image{1, 2, {1, 2, 3, 250, 251, 252}};
  EXPECT_EQ(resized(image, 1, 2).pixels, image.pixels);
}

TEST(Resize, OneColourStaysOne) {
  for (const auto& [height, width] : {std::pair{100, 7}, {7, 100}, {1, 1}, {31, 33}, {640, 480}}) {
    for (const std::uint8_t shade : {0, 1, 127, 254, 255}) {
      const Image image{height, width, Bytes(std::size_t{3} * height * width, shade)};
      const Image small = resized(image, 32, 32);
      EXPECT_EQ(small.pixels.size(), 3072u);
      EXPECT_THAT(small.pixels, Each(shade)) << height << " x " << width;
    }
  }
}

TEST(Resize, EveryPixelCountsAndNothingMoves) {
  // Fine stripes become their mean and not a moire pattern.
  Image stripes{64, 64, {}};
  for (int i = 0; i < 64 * 64; ++i) stripes.pixels.insert(stripes.pixels.end(), 3, i % 4 ? 0 : 200);
  for (const std::uint8_t shade : resized(stripes, 16, 16).pixels) EXPECT_NEAR(shade, 50, 15);
  // Black on the left and white on the right stay there, with intermediate values; colours do not
  // mix.
  const Image halves{1, 2, {0, 0, 9, 200, 100, 9}};
  EXPECT_EQ(resized(halves, 1, 4).pixels, (Bytes{0, 0, 9, 50, 25, 9, 150, 75, 9, 200, 100, 9}));
  const Image column{2, 1, {0, 0, 9, 200, 100, 9}};
  EXPECT_EQ(resized(column, 4, 1).pixels, (Bytes{0, 0, 9, 50, 25, 9, 150, 75, 9, 200, 100, 9}));
  EXPECT_THAT(error_of(Fault::user, [&] { resized(halves, 70'000, 4); }),
              HasSubstr("the resized image has 4 x 70000 pixels"));
  EXPECT_THAT(error_of(Fault::user,
                       [] {
                         resized({2, 2, Bytes(11)}, 1, 1);
                       }),
              HasSubstr("11 bytes for 2 x 2 pixels: give three for each"));
  EXPECT_THAT(error_of(Fault::user, [&] { resized(halves, 0, 4); }),
              HasSubstr("cannot resize to 4 x 0 pixels"));
}

}  // namespace
}  // namespace sluice
