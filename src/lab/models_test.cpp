#include "sluice/lab/models.h"

#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

const Shape kPicture{32, 32, 3};

TEST(Models, HaveTheLabsParameterCounts) {
  EXPECT_EQ(count_parameters(cnn("cnn", kPicture, 10, CnnSize::small)), 2168362);
  EXPECT_EQ(count_parameters(cnn("cnn", kPicture, 2, CnnSize::small)), 2164258);
  EXPECT_EQ(count_parameters(cnn("cnn", kPicture, 10, CnnSize::large)), 1341226);
  EXPECT_EQ(count_parameters(importance_model("importance", kPicture, 10)), 1583636);
  const Groups groups({{"one", {"a"}}, {"other", {"b"}}}, {"a", "b"});
  EXPECT_EQ(count_parameters(mixture(groups, kPicture, 10, CnnSize::small)), 11836616);
}

TEST(Models, HaveTheLabsLayerNames) {
  const auto names = [](CnnSize size) {
    std::string all;
    for (const LayerSummary& layer : summarize(cnn("cnn", kPicture, 10, size))) {
      all += layer.name + " ";
    }
    return all;
  };
  EXPECT_EQ(names(CnnSize::small),
            "conv1.1 conv1.2 pool1 drop1 conv2.1 conv2.2 pool2 drop2 flatten dense1 drop3 output ");
  EXPECT_EQ(names(CnnSize::large),
            "conv1.1 conv1.2 pool1 drop1 conv2.1 conv2.2 pool2 drop2 conv3.1 conv3.2 pool3 drop3 "
            "flatten dense1 drop4 output ");
}

TEST(Models, CanBeWider) {
  const auto filters = [](double width) {
    const Sequential model = cnn("cnn", kPicture, 10, CnnSize::small, width);
    return std::get<Conv2D>(model.layers[0]).filters;
  };
  EXPECT_EQ(filters(1), 32);
  EXPECT_EQ(filters(1.25), 40);
  EXPECT_EQ(filters(1.3), 40) << "whole eights";
  EXPECT_EQ(filters(0.01), 8);
  const Sequential twice = cnn("cnn", kPicture, 10, CnnSize::small, 2);
  EXPECT_EQ(std::get<Dense>(twice.layers[9]).units, 1024);
  EXPECT_EQ(std::get<Dense>(twice.layers.back()).units, 10);
}

TEST(Models, SizesThatCannotBe) {
  for (const double width : {0.0, -1.0, 1e9, std::nan("")}) {
    EXPECT_THAT(error_of(Fault::user,
                         [&] {
                           cnn("c", {8, 8, 3}, 4, CnnSize::small, width);
                         }),
                HasSubstr("c: a width of"));
  }
  EXPECT_THAT(error_of(Fault::user, [] { chosen_group({}); }), HasSubstr("a gate without outputs"));
}

}  // namespace
}  // namespace sluice
