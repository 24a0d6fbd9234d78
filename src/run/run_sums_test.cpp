#include "run/run_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

class RunSums : public testing::Test {
 protected:
  std::string read(const std::string& file) const {
    return read_summed(temp_.path(), file, 100, "test");
  }

  ScratchFolder temp_;
};

TEST_F(RunSums, AreThoseOfSha256sum) {
  save(temp_ / "a.json", "abc");
  write_sums(temp_.path(), {"a.json", "missing"});
  // The digest of "abc" in FIPS 180-2, appendix B.1.
  EXPECT_EQ(load(temp_ / "SHA256SUMS"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.json\n");
}

TEST_F(RunSums, RefuseEveryChangedByte) {
  const std::string text = "{\"accuracy\": 0.5}\n";
  save(temp_ / "results.json", text);
  save(temp_ / "other.json", text);
  write_sums(temp_.path(), {"other.json", "results.json"});
  EXPECT_EQ(read("results.json"), text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 1;
    save(temp_ / "results.json", changed);
    EXPECT_THAT(error_of(Fault::user, [&] { read("results.json"); }),
                HasSubstr("was changed after the end of the run"));
  }
  save(temp_ / "results.json", text + "\n");
  error_of(Fault::user, [&] { read("results.json"); });
  EXPECT_EQ(read("other.json"), text);
}

TEST_F(RunSums, AreNotAskedForWhereThereAreNone) {
  save(temp_ / "results.json", "1");
  EXPECT_EQ(read("results.json"), "1");
  save(temp_ / "SHA256SUMS", "");
  EXPECT_EQ(read("results.json"), "1");
}

}  // namespace
}  // namespace sluice
