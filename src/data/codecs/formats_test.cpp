#include <gmock/gmock.h>
#include <png.h>
#include <tiffio.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include <array>
#include <functional>

#include "data/codecs/pixels.h"
#include "data/image_codecs.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using std::string_literals::operator""s;
using Bytes = std::vector<std::uint8_t>;

Image decode(const std::string& file, const ReadOptions& options = {}) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  return decode_image({bytes, "the file", options});
}

std::string refusal(const std::string& file) {
  return error_of(Fault::user, [&] { decode(file); });
}

/// Returns a small TIFF file with nothing but the orientation.
std::string exif(bool little, int orientation) {
  const char value = static_cast<char>(orientation);
  return little ? "II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0"s + value + "\0\0\0\0\0\0\0"s
                : "MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0"s + value + "\0\0\0\0\0\0"s;
}

int orientation_in(const std::string& block) {
  return exif_orientation({reinterpret_cast<const std::uint8_t*>(block.data()), block.size()});
}

std::string jpeg(int height, int width, const Bytes& rgb) {
  tjhandle encoder = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  EXPECT_EQ(tjCompress2(encoder, rgb.data(), width, 0, height, TJPF_RGB, &bytes, &size, TJSAMP_444,
                        95, 0),
            0);
  std::string file(reinterpret_cast<char*>(bytes), size);
  tjFree(bytes);
  tjDestroy(encoder);
  return file;
}

std::string with_exif(std::string file, const std::string& block) {
  const std::string content = "Exif\0\0"s + block;
  const auto length = static_cast<char>(content.size() + 2);
  return file.insert(2, "\xff\xe1\0"s + length + content);
}

/// Returns an image of one colour, with another one in the first half of the columns.
Bytes halves(int height, int width) {
  Bytes rgb;
  for (int i = 0; i < height * width; ++i) {
    const bool left = i % width < width / 2;
    for (const int value : {left ? 250 : 0, 0, left ? 0 : 250}) {
      rgb.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return rgb;
}

void append_to(png_structp png, png_bytep bytes, png_size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))
      ->append(reinterpret_cast<const char*>(bytes), count);
}

/// Returns a PNG of one row of R, G, B, A with chunks that `more` adds.
std::string png(const Bytes& rgba, const std::function<void(png_structp, png_infop)>& more = {}) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, append_to, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(rgba.size() / 4), 1, 8, PNG_COLOR_TYPE_RGB_ALPHA,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (more) more(png, info);
  png_write_info(png, info);
  png_write_row(png, rgba.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

std::string webp(int height, int width, const Bytes& rgba) {
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeLosslessRGBA(rgba.data(), width, height, 4 * width, &bytes);
  std::string file(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  return file;
}

std::string tiff(const Bytes& rgb, int height, int width, int orientation) {
  const ScratchFolder folder;
  TIFF* file = TIFFOpen((folder / "a.tif").c_str(), "w");
  TIFFSetField(file, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(file, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, 3);
  TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
  TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(file, TIFFTAG_ORIENTATION, orientation);
  for (int y = 0; y < height; ++y) {
    TIFFWriteScanline(file, const_cast<std::uint8_t*>(rgb.data()) + 3 * y * width,
                      static_cast<std::uint32_t>(y), 0);
  }
  TIFFClose(file);
  return load(folder / "a.tif");
}

/// A GIF of two pixels, the second colour and the first; `more` stands before the frame.
std::string gif(const std::string& more = "") {
  return "GIF89a\2\0\1\0\x80\0\0\x0a\x14\x1e\xc8\x64\x32"s + more +
         "\x2c\0\0\0\0\2\0\1\0\0\2\2\x0c\x0a\0\x3b"s;
}

/// A BMP of 2 x 2 pixels, 24 bits, with a height that may be negative.
std::string bmp(const std::string& height = "\2\0\0\0"s) {
  return "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0"s + height +
         "\1\0\x18\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s +
         "\7\x08\x09\x0a\x0b\x0c\0\0\1\2\3\4\5\6\0\0"s;
}

/// A BMP of 4 x 2 pixels, 8 bits, three colours, with `runs` as its pixels.
std::string packed_bmp(const std::string& runs) {
  return "BM\x42\0\0\0\0\0\0\0\x42\0\0\0\x28\0\0\0\4\0\0\0\2\0\0\0\1\0\x08\0\1\0\0\0"s +
         "\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\1\1\1\0\2\2\2\0\3\3\3\0"s + runs;
}

TEST(ExifOrientation, EveryOneIsUndone) {
  // 1 2 3 / 4 5 6, as one value per pixel.
  const std::array<std::vector<int>, 9> due{{{},
                                             {1, 2, 3, 4, 5, 6},
                                             {3, 2, 1, 6, 5, 4},
                                             {6, 5, 4, 3, 2, 1},
                                             {4, 5, 6, 1, 2, 3},
                                             {1, 4, 2, 5, 3, 6},
                                             {4, 1, 5, 2, 6, 3},
                                             {6, 3, 5, 2, 4, 1},
                                             {3, 6, 2, 5, 1, 4}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    Image image{2, 3, {}};
    for (std::uint8_t i = 1; i <= 6; ++i) image.pixels.insert(image.pixels.end(), {i, 0, 9});
    const Image turned = oriented(image, orientation);
    EXPECT_EQ(turned.height, orientation < 5 ? 2 : 3);
    EXPECT_EQ(turned.width, orientation < 5 ? 3 : 2);
    std::vector<int> first;
    for (std::size_t i = 0; i < turned.pixels.size(); i += 3) first.push_back(turned.pixels[i]);
    EXPECT_EQ(first, due[orientation]) << orientation;
  }
}

TEST(ExifOrientation, IsReadInBothByteOrdersAndMayBeBroken) {
  for (const bool little : {true, false}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      EXPECT_EQ(orientation_in(exif(little, orientation)), orientation);
    }
    EXPECT_EQ(orientation_in(exif(little, 0)), 1);
    EXPECT_EQ(orientation_in(exif(little, 9)), 1);
    const std::string whole = exif(little, 6);
    for (std::size_t size = 0; size < 19; ++size) {
      EXPECT_EQ(orientation_in(whole.substr(0, size)), 1) << size;
    }
    std::string far = whole;
    far[little ? 7 : 4] = '\x7f';  // where the directory begins
    EXPECT_EQ(orientation_in(far), 1);
  }
}

TEST(Jpeg, IsTurnedUnlessTheOptionsSayNo) {
  const std::string file = with_exif(jpeg(8, 16, halves(8, 16)), exif(true, 6));
  const Image upright = decode(file);
  EXPECT_EQ(upright.height, 16);
  EXPECT_EQ(upright.width, 8);
  EXPECT_GT(upright.pixels[0], 200) << "the left half is now above";
  EXPECT_LT(upright.pixels[3 * 8 * 15], 50);
  const Image stored = decode(file, {.exif_orientation = false});
  EXPECT_EQ(stored.height, 8);
  EXPECT_LT(stored.pixels[3 * 15], 50);
}

TEST(PictureHeaders, HaveTheSizeAsSeenAndTheOrientation) {
  const ScratchFolder folder;
  save(folder / "turned", with_exif(jpeg(8, 16, halves(8, 16)), exif(true, 6)));
  save(folder / "upright", jpeg(8, 16, halves(8, 16)));
  const std::string whole = png({1, 2, 3, 4, 5, 6, 7, 8});
  save(folder / "without pixels", whole.substr(0, whole.find("IDAT") + 4));
  save(folder / "text", "a text");
  const std::vector<std::filesystem::path> files{folder / "turned", folder / "upright",
                                                 folder / "without pixels", folder / "text"};
  std::vector<std::array<int, 3>> found;
  for (const PictureHeader& each : read_picture_headers(files)) {
    found.push_back({each.height, each.width, each.orientation});
  }
  EXPECT_EQ(found, (std::vector<std::array<int, 3>>{{16, 8, 6}, {8, 16, 1}, {1, 2, 1}, {0, 0, 1}}));
}

TEST(Jpeg, IsDecodedAtTheLeastScaleThatIsTwiceAsLargeAsTheImage) {
  const std::string file = jpeg(256, 512, halves(256, 512));
  const auto height_for = [&](int height, int width) {
    const Image image = decode(file, {.height = height, .width = width});
    EXPECT_EQ(image.pixels.size(), std::size_t{3} * image.height * image.width);
    EXPECT_EQ(image.width, 2 * image.height);
    EXPECT_GT(image.pixels[0], 240);
    return image.height;
  };
  EXPECT_EQ(height_for(16, 16), 32);
  EXPECT_EQ(height_for(17, 16), 64);
  EXPECT_EQ(height_for(32, 32), 64);
  EXPECT_EQ(height_for(64, 64), 128);
  EXPECT_EQ(height_for(65, 64), 256);
  EXPECT_EQ(height_for(16, 64), 64) << "the width counts too";
  EXPECT_EQ(height_for(0, 0), 256);
  const Image turned = decode(with_exif(file, exif(false, 8)), {.height = 64, .width = 16});
  EXPECT_EQ(turned.height, 128);
  EXPECT_EQ(turned.width, 64) << "sizes are those of the upright picture";
}

TEST(Png, GammaChangesNothing) {
  const Bytes pixels{10, 100, 200, 255, 60, 70, 80, 255};
  const Bytes due{10, 100, 200, 60, 70, 80};
  EXPECT_EQ(decode(png(pixels)).pixels, due);
  for (const double gamma : {1.0, 0.45455, 0.55556}) {
    EXPECT_EQ(
        decode(png(pixels, [&](auto* p, auto* info) { png_set_gAMA(p, info, gamma); })).pixels,
        due);
  }
}

TEST(Png, TransparentPartsAreBlendedAsPillowDoes) {
  EXPECT_EQ(decode(png({0, 0, 0, 128, 10, 20, 30, 0, 100, 200, 5, 64, 50, 50, 50, 10})).pixels,
            (Bytes{127, 127, 127, 255, 255, 255, 216, 241, 192, 247, 247, 247}));
}

TEST(Png, IsTurned) {
  std::string block = exif(true, 3);
  const std::string file = png({1, 2, 3, 255, 4, 5, 6, 255}, [&](auto* p, auto* info) {
    png_set_eXIf_1(p, info, static_cast<png_uint_32>(block.size()),
                   reinterpret_cast<png_bytep>(block.data()));
  });
  EXPECT_EQ(decode(file).pixels, (Bytes{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(decode(file, {.exif_orientation = false}).pixels, (Bytes{1, 2, 3, 4, 5, 6}));
}

TEST(Webp, IsReadExactly) {
  const std::string file = webp(1, 3, {1, 2, 3, 255, 0, 0, 0, 128, 9, 9, 9, 0});
  EXPECT_EQ(decode(file).pixels, (Bytes{1, 2, 3, 127, 127, 127, 255, 255, 255}));
  EXPECT_EQ(decode(webp(2, 1, {1, 2, 3, 255, 4, 5, 6, 255})).pixels, (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_THAT(refusal(file.substr(0, file.size() - 4)),
              HasSubstr("the file is cut short: it is a WebP without its end: replace or"));
}

TEST(Gif, TheFirstFrameIsRead) {
  EXPECT_EQ(decode(gif()).pixels, (Bytes{200, 100, 50, 10, 20, 30}));
  EXPECT_EQ(decode(gif("\x21\xf9\4\1\0\0\1\0"s)).pixels, (Bytes{255, 255, 255, 10, 20, 30}));
  EXPECT_THAT(refusal(gif().substr(0, 30)), HasSubstr("the file is cut short: it is a GIF"));
}

TEST(Bmp, KindsOfRowsAreRead) {
  EXPECT_EQ(decode(bmp()).pixels, (Bytes{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10}));
  EXPECT_EQ(decode(bmp("\xfe\xff\xff\xff")).pixels, (Bytes{9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(decode(bmp().substr(0, bmp().size() - 2)).height, 2) << "without the last padding";
  EXPECT_THAT(refusal(bmp().substr(0, bmp().size() - 3)),
              HasSubstr("the file is cut short: it is a BMP without its end"));
}

TEST(Bmp, RunsAreUnpacked) {
  const auto first_of = [](const Image& image) {
    std::vector<int> values;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) values.push_back(image.pixels[i]);
    return values;
  };
  // Three of the third colour and the end of the row; two as they are, then the end.
  EXPECT_EQ(first_of(decode(packed_bmp("\3\2\0\0\0\3\1\0\2\0\0\1"s))),
            (std::vector<int>{2, 1, 3, 1, 3, 3, 3, 1}));
  EXPECT_EQ(first_of(decode(packed_bmp("\0\2\1\1\xff\2\0\1"s))),
            (std::vector<int>{1, 3, 3, 3, 1, 1, 1, 1}))
      << "a step, and a run beyond the row";
  EXPECT_THAT(refusal(packed_bmp("\3\2\0\0\0\3\1"s)), HasSubstr("is cut short"));
}

TEST(Bmp, AHeaderThatLiesTakesNoMemory) {
  EXPECT_THAT(refusal(bmp("\0\0\0\x7f"s)), HasSubstr("above 178 million"));
  EXPECT_THAT(refusal(bmp("\xff\xff\0\0"s)), HasSubstr("is cut short"));
  std::string bits = bmp();
  bits[28] = 7;
  EXPECT_THAT(refusal(bits), HasSubstr("its pixels are of an unknown kind"));
}

TEST(Tiff, IsReadAndTurned) {
  const Bytes rgb{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  EXPECT_EQ(decode(tiff(rgb, 2, 2, 1)).pixels, rgb);
  EXPECT_EQ(decode(tiff(rgb, 1, 4, 6)).height, 4);
  EXPECT_EQ(decode(tiff(rgb, 2, 2, 6)).pixels, (Bytes{7, 8, 9, 1, 2, 3, 10, 11, 12, 4, 5, 6}));
  EXPECT_EQ(decode(tiff(rgb, 2, 2, 6), {.exif_orientation = false}).pixels, rgb);
}

TEST(Formats, ABrokenByteIsRefusedOrRead) {
  const Bytes rgba{1, 2, 3, 255, 4, 5, 6, 9};
  for (const std::string& whole :
       {jpeg(8, 8, halves(8, 8)), png(rgba), webp(1, 2, rgba), gif(), bmp(),
        packed_bmp("\3\2\0\0\0\3\1\0\2\0\0\1"s), tiff(halves(2, 2), 2, 2, 1)}) {
    ASSERT_NO_THROW(decode(whole));
    for (std::size_t at = 2; at < whole.size(); ++at) {
      for (const int change : {0x01, 0x80, 0xff}) {
        std::string file = whole;
        file[at] = static_cast<char>(file[at] ^ change);
        try {
          const Image image = decode(file);
          EXPECT_EQ(image.pixels.size(), std::size_t{3} * image.height * image.width);
        } catch (const Error& error) {
          EXPECT_EQ(error.fault(), Fault::user) << error.what();
        }
      }
    }
    for (std::size_t size = 0; size + 20 < whole.size(); ++size) {
      EXPECT_THROW(decode(whole.substr(0, size)), Error) << size;
    }
  }
}

}  // namespace
}  // namespace sluice
