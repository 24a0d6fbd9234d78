#include <gmock/gmock.h>

#include "report/terminal_width.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

TEST(SummaryText, LooksLikeKeras) {
  const Sequential tiny{
      "tiny",
      {4, 4, 3},
      {Conv2D{"conv", 2}, MaxPooling2D{"pool"}, Dropout{"drop", 0.5f}, Flatten{"flatten"},
       Dense{"output", 10, Activation::softmax}, Reshape{"pairs", {5, 2}}}};
  EXPECT_EQ(summary_text(tiny), R"(Model: "tiny"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                      ┃ Output Shape             ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ conv (Conv2D)                     │ (None, 4, 4, 2)          │            56 │
├───────────────────────────────────┼──────────────────────────┼───────────────┤
│ pool (MaxPooling2D)               │ (None, 2, 2, 2)          │             0 │
├───────────────────────────────────┼──────────────────────────┼───────────────┤
│ drop (Dropout)                    │ (None, 2, 2, 2)          │             0 │
├───────────────────────────────────┼──────────────────────────┼───────────────┤
│ flatten (Flatten)                 │ (None, 8)                │             0 │
├───────────────────────────────────┼──────────────────────────┼───────────────┤
│ output (Dense)                    │ (None, 10)               │            90 │
├───────────────────────────────────┼──────────────────────────┼───────────────┤
│ pairs (Reshape)                   │ (None, 5, 2)             │             0 │
└───────────────────────────────────┴──────────────────────────┴───────────────┘
 Total params: 146 (584.00 B)
 Trainable params: 146 (584.00 B)
 Non-trainable params: 0 (0.00 B)
 Operations per image: 1,888, multiplications and additions
)");
}

TEST(SummaryText, OfTheLabsCnn) {
  const std::string text = summary_text(cnn("baseline", {32, 32, 3}, 10, CnnSize::small));
  EXPECT_THAT(text, HasSubstr(" Total params: 2,168,362 (8.27 MB)\n"));
  expect_fits_a_terminal(text);
}

TEST(SummaryText, CountsWhatIsNotTrained) {
  Sequential model{"m", {4, 4, 3}, {Conv2D{"conv", 2}, BatchNormalization{"norm"}}};
  EXPECT_THAT(summary_text(model), HasSubstr(" Trainable params: 60 (240.00 B)\n"
                                             " Non-trainable params: 4 (16.00 B)\n"));
  model.frozen = {"conv", "norm/gamma"};
  EXPECT_THAT(summary_text(model), HasSubstr(" Trainable params: 2 (8.00 B)\n"
                                             " Non-trainable params: 62 (248.00 B)\n"));
}

TEST(SummaryText, LongNamesAreCut) {
  const Sequential model{std::string(200, 'm'), {2, 2, 1}, {Flatten{std::string(200, 'l')}}};
  expect_fits_a_terminal(summary_text(model));
  EXPECT_THAT(summary_text(model), HasSubstr("… (Flatten) │"));
}

TEST(SummaryText, OfTheLabsMixture) {
  const std::vector<std::string> classes{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  const Groups groups(
      {{"natural", {"a", "b", "c", "d", "e", "f"}}, {"artificial", {"g", "h", "i", "j"}}}, classes);
  const std::string text = summary_text(mixture(groups, {32, 32, 3}, 10, CnnSize::small));
  EXPECT_THAT(text, HasSubstr(" Total params: 11,836,616 (45.15 MB)\n"));
  EXPECT_THAT(text, HasSubstr(" Trained jointly: 9,672,358 (36.90 MB), all but the gate\n"));
  EXPECT_THAT(text, HasSubstr(" Active per image: 8,084,618 (30.84 MB), with one expert"));
  for (const char* part : {"baseline", "gate", "expert-natural", "importance-artificial"}) {
    EXPECT_THAT(text, HasSubstr("│ " + std::string(part) + " "));
  }
  EXPECT_THAT(text, HasSubstr("│ dense, weighs both     │ (None, 10, 2) │   1,583,636 │\n"));
  expect_fits_a_terminal(text);
}

}  // namespace
}  // namespace sluice
