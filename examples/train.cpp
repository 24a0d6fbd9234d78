// Trains an experiment into a run folder with its models, figures and report.
//
// On the 1,000 built-in images with one epoch per stage it takes a minute on two cores.
//
//   train [EXPERIMENT [DATA [FOLDER]]]        train experiments/lab.toml builtin runs/first

#include <iostream>

#include "sluice/lab/run.h"

using namespace sluice;

namespace {

/// Prints a line for each stage and each epoch.
class Lines : public RunObserver {
  DataEvents loading() override {
    return {.say = [this](const std::string& l) { on_note(l); }};
  }
  void on_note(const std::string& line) override { std::cout << line << '\n'; }
  void on_begin(const RunStart& start) override { folder_ = start.folder.path(); }
  void on_stage(const StageStart& at) override {
    std::cout << at.number << " of " << at.count << ": " << at.stage.name << '\n';
  }
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    std::cout << "  epoch " << progress.epoch << " of " << progress.epochs << ": val_accuracy "
              << epoch.val_accuracy << '\n';
  }
  void on_model(const Stage& stage, const ModelResult& result,
                const std::vector<LayerProfile>&) override {
    std::cout << "  " << stage.name << " has a test accuracy of " << result.test.accuracy << '\n';
  }
  void on_results(const Results& results) override {
    std::cout << sentence(results.verdict) << "\nreport: " << (folder_ / "report.html").string()
              << '\n';
  }

  std::filesystem::path folder_;
};

}  // namespace

int main(int argc, char** argv) try {
  RunOptions options;
  if (argc > 2) options.data = argv[2];
  if (argc > 3) options.folder = argv[3];
  Lines lines;
  run(read_experiment(argc > 1 ? argv[1] : "experiments/lab.toml"), options, lines);
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
