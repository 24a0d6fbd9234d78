#include <cmath>
#include <cstring>

#include "data/arrays/array_files_testing.h"
#include "data/arrays/npy.h"
#include "sluice/dataset.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

LabelledImages images_in(const std::string& file) {
  const NpyArray array = parse_npy(file, "x.npy");
  return images_of(array, range_of(array));
}

std::string refused_images(const std::string& file) {
  return error_of(Fault::user, [&] { images_in(file); });
}

TEST(NpyArrays, BecomeImagesOfTheirShape) {
  const LabelledImages grey = images_in(make_npy("|u1", "(2, 1, 3)", "abcdef"));
  EXPECT_EQ(grey.shape, (Shape{1, 3, 1}));
  EXPECT_THAT(grey.pixels, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
  EXPECT_EQ(images_in(make_npy("|u1", "(1, 1, 2, 3)", "abcdef")).shape, (Shape{1, 2, 3}));
  const LabelledImages planes = images_in(make_npy("|u1", "(2, 3, 1, 2)", "abcdefABCDEF"));
  EXPECT_EQ(planes.shape, (Shape{1, 2, 3}));
  EXPECT_EQ(std::string(planes.pixels.begin(), planes.pixels.end()), "acebdfACEBDF");
}

TEST(NpyArrays, OfOtherNumbersAreConverted) {
  EXPECT_THAT(images_in(make_npy("<f4", "(1, 1, 3)", bytes_of<float>({0, 0.5, 1}))).pixels,
              ElementsAre(0, 128, 255));
  EXPECT_THAT(images_in(make_npy("<f8", "(1, 1, 3)", bytes_of<double>({0, 0.6, 255}))).pixels,
              ElementsAre(0, 1, 255));
  EXPECT_THAT(images_in(make_npy("<i8", "(1, 1, 2)", bytes_of<std::int64_t>({1, 200}))).pixels,
              ElementsAre(1, 200));
  EXPECT_THAT(images_in(make_npy("|b1", "(1, 1, 2)", std::string{0, 1})).pixels,
              ElementsAre(0, 255));
}

TEST(NpyArrays, ThatAreNoImagesAreRefused) {
  EXPECT_THAT(refused_images(make_npy("<f4", "(1, 1, 2)", bytes_of<float>({-1, 1}))),
              HasSubstr("x.npy has pixels from -1 to 1: save them from 0 to 255"));
  EXPECT_THAT(refused_images(make_npy("<f4", "(1, 1, 1)", bytes_of<float>({NAN}))),
              HasSubstr("not a number"));
  EXPECT_THAT(refused_images(make_npy("|u1", "(1, 2, 2, 4)", std::string(16, 'a'))),
              HasSubstr("images are (N, height, width), "));
  EXPECT_THAT(refused_images(make_npy("|u1", "(5, 784)", std::string(5 * 784, 'a'))),
              HasSubstr("has the shape (5, 784)"));
  EXPECT_THAT(refused_images(make_npy("|O", "(1, 1, 1)", "a")), HasSubstr("has Python objects"));
  EXPECT_THAT(refused_images(make_npy(">f4", "(1, 1, 1)", "abcd")), HasSubstr("of type '>f4'"));
  EXPECT_THAT(refused_images(make_npy("|u1", "(2, 1, 3)", "abcde")),
              HasSubstr("has 5 bytes of numbers, but its shape (2, 1, 3) needs 6"));
  EXPECT_THAT(refused_images(make_npy("|u1", "(1099511627776, 1099511627776, 1099511627776)", "")),
              HasSubstr("has an impossible shape"));
  EXPECT_THAT(refused_images("\x93NUMPY"), HasSubstr("is no array of NumPy (.npy)"));
  EXPECT_THAT(refused_images(make_npy("|u1", "(1, open('x'))", "a")), HasSubstr("damaged header"));
}

TEST(NpyArrays, AreLabels) {
  const auto labels = [](const std::string& file) { return labels_of(parse_npy(file, "y.npy")); };
  EXPECT_THAT(labels(make_npy("<i8", "(2, 1)", bytes_of<std::int64_t>({3, 0}))), ElementsAre(3, 0));
  EXPECT_THAT(labels(make_npy("|u1", "(2,)", std::string{1, 9})), ElementsAre(1, 9));
  const auto refused = [&](const std::string& file) {
    return error_of(Fault::user, [&] { labels(file); });
  };
  EXPECT_THAT(refused(make_npy("<i4", "(1,)", bytes_of<std::int32_t>({-1}))),
              HasSubstr("has the label -1 for image 0"));
  EXPECT_THAT(refused(make_npy("<f4", "(1,)", bytes_of<float>({0.5}))), HasSubstr("label 0.5"));
  EXPECT_THAT(refused(make_npy("|u1", "(1, 3)", "abc")), HasSubstr("save numpy.argmax(y, axis=1)"));
}

/// Loads with data.set = "folder".
Dataset load_from(const std::filesystem::path& place, std::vector<std::string>& said) {
  DataOptions options{.set = "folder", .height = 8, .width = 8, .channels = 1};
  DataEvents events;
  events.say = [&](const std::string& line) { said.push_back(line); };
  return load_data(options, place.string(), events);
}

std::string images_of_count(int count, char first) {
  std::string pixels;
  for (int i = 0; i < count; ++i) pixels.append(64, static_cast<char>(first + i));
  return make_npy("|u1", fmt::format("({}, 8, 8)", count), pixels);
}

TEST(NumpyData, HasTheNamesOfKerasOrMedMnist) {
  const ScratchFolder folder;
  const std::string labels = make_npy("|u1", "(4,)", std::string{0, 1, 2, 0});
  const std::map<std::string, std::string> keras{{"x_train.npy", images_of_count(4, 'a')},
                                                 {"y_train.npy", labels},
                                                 {"x_test.npy", images_of_count(4, 'q')},
                                                 {"y_test.npy", labels}};
  save(folder / "keras/mine.npz", make_zip(keras, true));
  for (const auto& [name, content] : keras) save(folder / "npy" / name, content);
  std::vector<std::string> said;
  for (const char* place : {"keras/mine.npz", "keras", "npy", "npy/x_test.npy"}) {
    const Dataset data = load_from(folder / place, said);
    EXPECT_EQ(data.class_names, (std::vector<std::string>{"0", "1", "2"})) << place;
    EXPECT_THAT(data.train.labels, ElementsAre(0, 1, 2, 0));
    EXPECT_EQ(data.train.image(3)[0], 'd');
    EXPECT_EQ(data.test.image(0)[0], 'q');
    EXPECT_EQ(load_from(data.place, said).train.pixels, data.train.pixels);
  }
  save(folder / "med.npz", make_zip({{"train_images.npy", images_of_count(4, 'a')},
                                     {"train_labels.npy", labels},
                                     {"val_images.npy", images_of_count(4, 'm')},
                                     {"val_labels.npy", labels},
                                     {"test_images.npy", images_of_count(4, 'q')},
                                     {"test_labels.npy", labels}},
                                    false));
  EXPECT_EQ(load_from(folder / "med.npz", said).validation.image(0)[0], 'm');
  EXPECT_EQ(said.back(), "data: 4 images validate");
}

TEST(NumpyData, WithoutATestHalfIsSplit) {
  const ScratchFolder folder;
  save(folder / "a.npz", make_zip({{"x.npy", images_of_count(4, 'a')},
                                   {"y.npy", make_npy("|u1", "(4,)", std::string{0, 1, 1, 0})}},
                                  true));
  std::vector<std::string> said;
  const Dataset data = load_from(folder / "a.npz", said);
  EXPECT_EQ(data.train.size(), 2u);
  EXPECT_EQ(data.test.size(), 2u);
  EXPECT_THAT(said.back(), HasSubstr("no test half: 2 of 4 pictures test"));
  const Dataset test = load_test_data({.set = "folder", .height = 8, .width = 8, .channels = 1},
                                      data.class_names, (folder / "a.npz").string(), {});
  EXPECT_EQ(test.test.pixels, data.test.pixels);
}

TEST(NumpyData, OfOtherNamesIsRefusedWithThem) {
  const ScratchFolder folder;
  save(folder / "a.npz", make_zip({{"arr_0.npy", "a"}, {"arr_1.npy", "b"}}, false));
  std::vector<std::string> said;
  EXPECT_THAT(error_of(Fault::user, [&] { load_from(folder / "a.npz", said); }),
              HasSubstr("a.npz has the arrays arr_0, arr_1: name them x_train, y_train"));
}

}  // namespace
}  // namespace sluice
