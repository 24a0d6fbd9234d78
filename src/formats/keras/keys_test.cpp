#include "formats/keras/keys.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(KerasKeys, SnakeCaseAsInKeras) {
  // From keras.src.utils.naming.to_snake_case of Keras 3.15.
  for (const auto& [name, key] : {std::pair{"Conv2D", "conv2d"},
                                  {"MaxPooling2D", "max_pooling2d"},
                                  {"InputLayer", "input_layer"},
                                  {"ReLU", "re_lu"},
                                  {"Conv2DTranspose", "conv2d_transpose"},
                                  {"Cropping1D", "cropping1d"},
                                  {"My_Model", "my__model"},
                                  {"RNNCell", "rnn_cell"},
                                  {"GRU", "gru"},
                                  {"Custom>Sub", "custom_sub"},
                                  {"FooBarBaz", "foo_bar_baz"},
                                  {"", ""}}) {
    EXPECT_EQ(keras_snake_case(name), key) << name;
  }
}

TEST(KerasKeys, CountedByClass) {
  KerasKeys keys;
  EXPECT_EQ(keys.next("Conv2D"), "conv2d");
  EXPECT_EQ(keys.next("Dense"), "dense");
  EXPECT_EQ(keys.next("Conv2D"), "conv2d_1");
  EXPECT_EQ(keys.next("Conv2D"), "conv2d_2");
  EXPECT_EQ(keys.next("Dense"), "dense_1");
}

}  // namespace
}  // namespace sluice
