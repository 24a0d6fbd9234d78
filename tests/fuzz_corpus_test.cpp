#include <algorithm>

#include "fuzz/targets.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

/// What the fuzzer grew from and found: every file is read or refused, as fuzz/targets.h has it,
/// and those that Sluice wrote are read.
void replay(const std::string& target, bool (*read)(std::string_view)) {
  const std::filesystem::path folder(SLUICE_SOURCE_DIR "/fuzz/corpus/" + target);
  int good = 0;
  int other = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    const bool is_good = entry.path().filename().string().rfind("good-", 0) == 0;
    bool was_read = false;
    EXPECT_NO_THROW(was_read = read(load(entry.path())));
    EXPECT_TRUE(was_read || !is_good);
    ++(is_good ? good : other);
  }
  EXPECT_GT(good, 0);
  EXPECT_GT(other, 0);
}

TEST(FuzzCorpus, Checkpoint) {
  replay("checkpoint", fuzz::checkpoint);
}
TEST(FuzzCorpus, Cifar) {
  replay("cifar", fuzz::cifar);
}
TEST(FuzzCorpus, Experiment) {
  replay("experiment", fuzz::experiment);
}
TEST(FuzzCorpus, Image) {
  replay("image", fuzz::image);
}
TEST(FuzzCorpus, Results) {
  replay("results", fuzz::results);
}
TEST(FuzzCorpus, Safetensors) {
  replay("safetensors", fuzz::safetensors);
}
TEST(FuzzCorpus, ModelFile) {
  replay("model_file", fuzz::model_file);
}
TEST(FuzzCorpus, Keras) {
  replay("keras", fuzz::keras);
}
TEST(FuzzCorpus, KerasFlattened) {
  replay("keras_flattened", fuzz::keras_flattened);
}

}  // namespace
}  // namespace sluice
