#include <png.h>

#include "report/gnuplot.h"
#include "sluice/lab/report.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::vector<std::string> kOddNames{"a_b",     "it's",       "\"quoted\\n\"", "two words",
                                         "100% %s", "{x}^2@&<i>", "Ünïcødé 猫",    "\xff\n`id`"};

/// Uses its own folder, and a PATH that it may change and restores.
class FiguresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!find_gnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  }

  /// Puts a program named gnuplot, and nothing else, on the PATH.
  void use_gnuplot(const std::string& shell_script) {
    const fs::path bin = scratch_ / "bin";
    save(bin / "gnuplot", "#!/bin/sh\n" + shell_script);
    fs::permissions(bin / "gnuplot", fs::perms::owner_all);
    path_.assign(bin.c_str());
  }

  /// Decodes the whole picture, and expects it to be the only file.
  void expect_picture(const std::string& name, unsigned least_width, unsigned least_height) {
    png_image png{};
    png.version = PNG_IMAGE_VERSION;
    const fs::path file = folder_ / (name + ".png");
    ASSERT_TRUE(png_image_begin_read_from_file(&png, file.c_str())) << png.message;
    png.format = PNG_FORMAT_RGB;
    EXPECT_GE(png.width, least_width);
    EXPECT_GE(png.height, least_height);
    EXPECT_LE(png.width, 4000u);
    std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(png));
    ASSERT_TRUE(png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr)) << png.message;
    EXPECT_EQ(pixels[0], 255) << "the background is white";
    EXPECT_EQ(files(), 1);
    fs::remove(file);
  }

  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

  ScratchFolder scratch_;
  // Special characters in a folder's name must not matter.
  const fs::path folder_ = scratch_ / "it's \"here\"";
  ScopedVariable path_{"PATH", std::getenv("PATH")};
};

LabelledImages one_of_each(int classes) {
  LabelledImages images{{2, 2, 3}, {}, {}};
  for (int label = 0; label < classes; ++label) images.labels.push_back(label);
  images.pixels.assign(12 * static_cast<std::size_t>(classes), 100);
  return images;
}

TEST_F(FiguresTest, LearningCurvesOfAnyLength) {
  const Figures figures(folder_);
  for (const std::size_t epochs : {0, 1, 10, 100}) {
    History history;
    history.epochs.assign(epochs, {1.5, .4, 1.7, .35, 1});
    figures.learning_curves("curves", "it's_\"a\" \\ {title}", history);
    expect_picture("curves", 800, 300);
  }
}

TEST_F(FiguresTest, ConfusionOfAnyNumberOfClassesWithAnyNames) {
  const Figures figures(folder_);
  for (const std::size_t classes : {0, 1, 2, 8, 20, 60}) {
    std::vector<std::string> names = kOddNames;
    while (names.size() < classes) names.push_back("class_" + std::to_string(names.size()));
    names.resize(classes);
    ConfusionMatrix confusion(names);
    for (int label = 0; label < confusion.classes(); ++label) confusion.add(label, label / 2);
    figures.confusion("confusion", kOddNames[2], confusion);
    expect_picture("confusion", 500, 150);
  }
}

TEST_F(FiguresTest, DistributionAndSamplesWithAnyNames) {
  const Figures figures(folder_);
  for (const int classes : {0, 1, 8}) {
    const LabelledImages images = one_of_each(classes);
    const Examples examples(images, kOddNames);
    figures.distribution("distribution", kOddNames[1], examples, examples);
    expect_picture("distribution", 500, 300);
    figures.sample_images("samples", kOddNames[7], examples);
    expect_picture("samples", 100, 100);
  }
}

TEST_F(FiguresTest, SamplesShowTheImagesColours) {
  LabelledImages images = one_of_each(1);
  for (std::size_t i = 0; i < images.pixels.size(); ++i) {
    images.pixels[i] = static_cast<std::uint8_t>(i % 3 == 0 ? 13 : i % 3 == 1 ? 10 : 26);
  }
  Figures(folder_).sample_images("samples", "title", {images, {"cat"}});
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(png_image_begin_read_from_file(&png, (folder_ / "samples.png").c_str()));
  png.format = PNG_FORMAT_RGB;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(png));
  ASSERT_TRUE(png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr));
  int found = 0;
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    found += pixels[i] == 13 && pixels[i + 1] == 10 && pixels[i + 2] == 26;
  }
  // Exactly 64 x 64 pixels: line-ending bytes are not changed, and nothing is smoothed.
  EXPECT_EQ(found, 64 * 64);
}

TEST_F(FiguresTest, AugmentationShowsEachEpoch) {
  for (const int images : {0, 1, 8}) {
    const LabelledImages all = one_of_each(images);
    Figures(folder_).augmentation("augmentation", kOddNames[3], {all, kOddNames}, {.shift = 1}, 1,
                                  0);
    expect_picture("augmentation", 600, 100);
  }
  // The image is red on its left and green on its right half.
  const LabelledImages image{{2, 2, 3}, {200, 0, 0, 0, 200, 0, 200, 0, 0, 0, 200, 0}, {0}};
  const Augmentation options{.mirror = Augmentation::Mirror::alternating};
  Figures(folder_).augmentation("augmentation", "title", {image, {"cat"}}, options, 1, 0);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(png_image_begin_read_from_file(&png, (folder_ / "augmentation.png").c_str()));
  png.format = PNG_FORMAT_RGB;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(png));
  ASSERT_TRUE(png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr));
  // Where a red pixel has a green one to its right, an image is not mirrored, in one of its rows.
  const auto is = [&](std::size_t i, int channel) {
    return pixels[i + channel] == 200 && pixels[i + 1 - channel] == 0 && pixels[i + 2] == 0;
  };
  int plain = 0;
  int mirrored = 0;
  for (std::size_t i = 0; i + 3 < pixels.size(); i += 3) {
    plain += is(i, 0) && is(i + 3, 1);
    mirrored += is(i, 1) && is(i + 3, 0);
  }
  EXPECT_EQ(plain, 5 * 64) << "the original and four of eight epochs, 64 pixels high";
  EXPECT_EQ(mirrored, 4 * 64);
}

TEST_F(FiguresTest, WithoutGnuplotNothingHappens) {
  for (const char* path : {"", "/nonexistent"}) {
    path_.assign(path);
    const Figures figures(folder_);
    EXPECT_FALSE(figures.available());
    const LabelledImages images = one_of_each(1);
    figures.learning_curves("a", "", {});
    figures.confusion("b", "", ConfusionMatrix({"cat"}));
    figures.distribution("c", "", {images, {"cat"}}, {images, {"cat"}});
    figures.sample_images("d", "", {images, {"cat"}});
    EXPECT_FALSE(fs::exists(folder_));
  }
}

TEST_F(FiguresTest, AFailureIsTheMachinesAndLeavesNothing) {
  const std::pair<const char*, const char*> cases[] = {
      {"echo 'plot x' >&2; echo '\"-\" line 3: unknown or ambiguous terminal' >&2; exit 1",
       "line 3: unknown or ambiguous terminal"},
      {"exit 0", "drew no picture"},
      {"echo no PNG", "drew no picture"},
      {"kill -9 $$", "signal 9"}};
  for (const auto& [script, message] : cases) {
    use_gnuplot(script);
    const Figures figures(folder_);
    ASSERT_TRUE(figures.available());
    EXPECT_THAT(error_of(Fault::machine, [&] { figures.learning_curves("curves", "title", {}); }),
                HasSubstr(message))
        << script;
    EXPECT_EQ(files(), 0) << script;
  }
}

TEST_F(FiguresTest, AFailureLeavesAnEarlierPicture) {
  Figures(folder_).learning_curves("curves", "title", {});
  use_gnuplot("exit 1");
  EXPECT_THROW(Figures(folder_).learning_curves("curves", "title", {}), Error);
  expect_picture("curves", 800, 300);
}

TEST_F(FiguresTest, AFolderThatCannotBeIsTheMachinesFault) {
  save(folder_, "a file");
  EXPECT_THROW(Figures(folder_).learning_curves("curves", "title", {}), Error);
}

TEST_F(FiguresTest, GnuplotsOwnComplaintIsQuoted) {
  fs::create_directory(folder_);
  const std::string complaint = error_of(
      Fault::machine, [&] { run_gnuplot(*find_gnuplot(), "set nonsense\n", folder_ / "x.png"); });
  EXPECT_THAT(complaint, HasSubstr("line 0:"));
  EXPECT_THAT(complaint, HasSubstr("unrecognized option"));
  EXPECT_EQ(files(), 0);
}

TEST(GnuplotString, QuotesAndCharactersWithoutAFont) {
  EXPECT_EQ(gnuplot_string("it's \\n \"{x}\""), "'it''s \\n \"{x}\"'");
  EXPECT_EQ(gnuplot_string("é猫…\n"), "'é?…?'");
}

}  // namespace
}  // namespace sluice
