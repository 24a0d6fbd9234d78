#include "conduct/stage_fit.h"

#include "tests/scratch.h"

namespace sluice {
namespace {

struct NoteList : RunObserver {
  void on_note(const std::string& line) override { notes.push_back(line); }
  std::vector<std::string> notes;
};

TEST(StageFit, NotesAnExpertOnceWhenItGetsHardlyAnyImages) {
  const ScratchFolder folder;
  Checkpoints checkpoints(folder / "checkpoints", {});
  NoteList observer;
  StageFit fit({StageKind::baseline, -1, "baseline", "", 1, 1}, checkpoints, observer, 500, {});
  const ExpertUse fair{"experts", {"a", "b"}, {{50, 1}, {50, 1}}, 100};
  const ExpertUse starved{"experts", {"a", "b"}, {{98, 1}, {2, 1}}, 100};
  fit.on_expert_use({fair});
  EXPECT_TRUE(observer.notes.empty());
  fit.on_expert_use({starved});
  fit.on_expert_use({starved});
  EXPECT_THAT(observer.notes,
              testing::ElementsAre("experts: b gets 2 of 100 validation images: a larger "
                                   "balance_loss or bias_rate would give it more"));
  fit.on_expert_use({fair});
  fit.on_expert_use({starved});
  EXPECT_EQ(observer.notes.size(), 2);
  fit.on_expert_use({{"conv", {"0", "1"}, {{98.7, 1}, {1.3, 1}}, 100, true}});
  EXPECT_EQ(
      observer.notes.back(),
      "conv: kernel 1 has 1.30% of the mixes of 100 validation images: fewer kernels would do");
}

}  // namespace
}  // namespace sluice
