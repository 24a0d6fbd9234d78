#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/program.h"
#include "tests/scratch.h"

namespace sluice::testing {

inline const std::string kLab = SLUICE_SOURCE_DIR "/experiments/lab.toml";

#ifdef SLUICE_SANITIZED  // for short tests; other tests run Winograd's convolutions
inline const std::string kShortImages = "128";
inline const std::string kShortCompute = "exact";
#else
inline const std::string kShortImages = "160";
inline const std::string kShortCompute = "auto";
#endif

/// Settings of a lab that takes a few seconds.
inline const std::vector<std::string> kShort{
    "--set", "data.train_images=" + kShortImages,       "--set", "data.test_images=100",
    "--set", "train.compute=\"" + kShortCompute + "\"", "--set", "train.epochs=1"};

inline std::vector<std::string> train_short(std::vector<std::string> more) {
  more.insert(more.begin(), {"train", kLab});
  more.insert(more.end(), kShort.begin(), kShort.end());
  return more;
}

/// Returns the columns of the widest line: UTF-8's continuation bytes take no column.
inline std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  std::size_t columns = 0;
  for (const char c : text) {
    if (c == '\n')
      columns = 0;
    else
      columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    most = std::max(most, columns);
  }
  return most;
}

/// Expects one line on stderr that starts as the program's errors do.
inline void expect_complaint(const Ended& ended, int code, const std::string& text) {
  EXPECT_EQ(ended.code, code) << ended.err;
  EXPECT_THAT(ended.err, ::testing::StartsWith("sluice: "));
  EXPECT_THAT(ended.err, ::testing::HasSubstr(text));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

class CommandLine : public ::testing::Test {
 protected:
  Ended run(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    return Program(folder_.path(), std::move(arguments), std::move(environment)).wait();
  }

  /// Whether the program wrote anything except the captured output.
  bool wrote() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().filename().string().front() != '.') return true;
    }
    return false;
  }

  std::string experiment(const std::string& from, const std::string& to) {
    std::string text = load(kLab);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    save(folder_ / ".mine.toml", text);
    return ".mine.toml";
  }

  ScratchFolder folder_;
};

}  // namespace sluice::testing
