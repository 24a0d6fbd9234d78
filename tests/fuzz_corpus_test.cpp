#include <algorithm>

#include "fuzz/targets.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

struct Target {
  std::string name;
  bool (*read)(std::string_view);
};

class FuzzCorpus : public testing::TestWithParam<Target> {};

/// Replays the fuzzer's seeds and findings: every file is read or refused, as defined in
/// fuzz/targets.h, and files that Sluice wrote are read.
TEST_P(FuzzCorpus, IsReadOrRefused) {
  const std::filesystem::path folder(SLUICE_SOURCE_DIR "/fuzz/corpus/" + GetParam().name);
  int good = 0;
  int other = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    const bool is_good = entry.path().filename().string().rfind("good-", 0) == 0;
    bool was_read = false;
    EXPECT_NO_THROW(was_read = GetParam().read(load(entry.path())));
    EXPECT_TRUE(was_read || !is_good);
    ++(is_good ? good : other);
  }
  EXPECT_GT(good, 0);
  EXPECT_GT(other, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Of, FuzzCorpus,
    testing::Values(Target{"checkpoint", fuzz::checkpoint}, Target{"cifar", fuzz::cifar},
                    Target{"csv", fuzz::csv}, Target{"decoded", fuzz::decoded},
                    Target{"idx", fuzz::idx}, Target{"npy", fuzz::npy}, Target{"npz", fuzz::npz},
                    Target{"pickle", fuzz::pickle}, Target{"tar", fuzz::tar},
                    Target{"experiment", fuzz::experiment}, Target{"image", fuzz::image},
                    Target{"keras", fuzz::keras}, Target{"keras_flattened", fuzz::keras_flattened},
                    Target{"model_file", fuzz::model_file}, Target{"onnx", fuzz::onnx},
                    Target{"results", fuzz::results}, Target{"safetensors", fuzz::safetensors}),
    [](const auto& target) { return target.param.name; });

}  // namespace
}  // namespace sluice
