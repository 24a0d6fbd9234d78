#include "formats/text/json_text.h"

#include "tests/scratch.h"

namespace sluice {
namespace {

TEST(JsonText, OfAStrangerIsBounded) {
  const auto refused = [](const std::string& json) {
    return error_of(Fault::user, [&] { parse_json(json, 3, "tag", "f"); });
  };
  EXPECT_EQ(parse_json("[[[1]]]", 3, "tag", "f")[0][0][0], 1);
  EXPECT_EQ(refused("[[[[[1]]]]]"), "[tag] f is nested deeper than 3: is it of a model?");
  EXPECT_EQ(refused(std::string(1'000'000, '[')),
            "[tag] f is nested deeper than 3: is it of a model?");
  EXPECT_EQ(refused(std::string("{}\0", 3)), "[tag] f has a zero byte: is it JSON?");
  EXPECT_EQ(refused("{"), "[tag] f is not valid JSON at byte 2");
  EXPECT_EQ(refused("[1e999]"), "[tag] f has a number that is out of range");
  std::string many = "[0";
  for (int i = 0; i < 300'000; ++i) many += ",0";
  EXPECT_EQ(refused(many + "]"), "[tag] f has more than 300000 values: is it of a model?");
}

}  // namespace
}  // namespace sluice
