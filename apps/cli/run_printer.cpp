#include "cli/run_printer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "cli/output.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

/// Prints a title in a rule as wide as a terminal.
void print_heading(const std::string& title) {
  constexpr std::size_t kWidth = 80;
  std::string rule;
  for (std::size_t i = title.size() + 4; i < kWidth; ++i) rule += "─";
  print_out("\n── {} {}\n", title, rule);
}

void print_model(const Sequential& model) {
  print_out("\n{}\n", summary_text(model));
}

void print_model(const Mixture& model) {
  print_out("\n{}\n{}\n", summary_text(model.branches.front().importance), summary_text(model));
}

void print_confusion(const std::string& title, const Evaluation& test) {
  print_out("\n{}: accuracy {:.3f}, loss {:.4f} on {} test images\n{}", title, test.accuracy,
            test.loss, test.confusion.total(), confusion_text(test.confusion));
  if (!test.experts.empty()) print_out("\n{}", expert_use_text(test));
}

}  // namespace

DataEvents RunPrinter::loading() {
  DataEvents events = data_events();
  if (!is_brief()) return events;
  // Many runs have the same images: tell it once.
  events.say = [this, say = events.say](const std::string& text) {
    if (text != loaded_) say(text);
    loaded_ = text;
  };
  return events;
}

void RunPrinter::on_note(const std::string& line) {
  progress_.clear();
  print_out("{}\n", line);
  flush_out();
}

void RunPrinter::on_begin(const RunStart& start) {
  folder_ = start.folder;
  kept_.clear();
  graceful_.emplace();
  if (is_brief()) return;
  print_out("\n{}\nrun folder: {}\n", distribution_text(start.train, start.test),
            folder_->path().string());
}

void RunPrinter::on_stage(const StageStart& start) {
  if (is_brief()) return;
  progress_.clear();
  const Stage& stage = start.stage;
  const std::string of = start.count > 0 ? fmt::format("/{}", start.count) : "";
  print_heading(fmt::format("{}{} {}: {}", start.number, of, stage.name, stage.title));
  if (stage.is_control()) return;
  print_out("{}", distribution_text(start.train, start.test));
  std::visit([](const auto& model) { print_model(model); }, start.model);
}

void RunPrinter::on_running(const std::vector<Running>& all, double seconds_left) {
  if (!graceful_) graceful_.emplace();  // runs beside each other report their begins later
  progress_.on_running(all, seconds_left);
}

void RunPrinter::on_resumed(const FitState& state) {
  on_note(state.finished
              ? "trained before:"
              : fmt::format("resumed at epoch {}, step {}:", state.epoch, state.step + 1));
}

void RunPrinter::on_model(const Stage& stage, const ModelResult& result,
                          const std::vector<LayerProfile>& profile) {
  const History& history = result.history;
  progress_.clear();
  kept_.push_back(stage.name);
  if (is_brief()) {
    progress_.end(fmt::format("{}: trained in {}, val_acc {:.3f}", stage.name,
                              clock_text(history.seconds), history.epochs.back().val_accuracy));
    return;
  }
  print_out("\ntrained in {}, {:.0f} images/s\n", clock_text(history.seconds),
            history.images_per_second);
  if (history.restored_epoch > 0) {
    print_out("weights of epoch {} restored\n", history.restored_epoch);
  }
  const bool trained_now = std::ranges::any_of(
      profile, [](const LayerProfile& layer) { return layer.backward_images > 0; });
  if (detail_ == Detail::profile && trained_now) {
    print_out("\nseconds, including validation\n{}", profile_text(profile, history.seconds));
  }
  print_confusion(stage.name, result.test);
  if (result.whole) print_confusion(stage.name + ", all classes", *result.whole);
}

void RunPrinter::on_groups(const ClassConfusions& confusions,
                           const std::vector<Groups::Group>& groups) {
  if (is_brief()) return;
  print_heading("groups: classes that the baseline confuses on validation images");
  print_out("{}", class_groups_text(confusions, groups));
}

void RunPrinter::on_results(const Results& results) {
  if (is_brief()) return;
  print_heading("result");
  print_out("{}", comparison_text(results));
}

void RunPrinter::print_places() const {
  const std::filesystem::path& path = folder_->path();
  const std::filesystem::path curves = path / "tensorboard";
  print_out("\nrun folder: {}\n", path.string());
  print_out("report:     {}\n", (path / "report.html").string());
  if (Figures(folder_->figures()).available()) {
    print_out("pictures:   {}\n", folder_->figures().string());
  }
  if (is_folder(curves)) print_out("curves:     tensorboard --logdir {}\n", curves.string());
  print_out("try it:     sluice predict {} PICTURE\n", path.string());
}

void RunPrinter::print_what_is_left(bool can_resume, const RunOptions& options) const {
  if (!folder_) return;
  const std::string place = path_text(folder_->path());
  const std::string kept =
      kept_.empty() ? "no model was finished" : fmt::format("kept {}", fmt::join(kept_, ", "));
  print_out("\n\nnot finished: {}: {}\n", place, kept);
  if (can_resume) {
    print_out("to resume: sluice train --resume {}{}{}\n", place,
              options.data.empty() ? "" : " --data " + options.data,
              options.parallel == 1 ? "" : fmt::format(" --parallel {}", options.parallel));
  } else {
    print_out("last checkpoints: {}\n", path_text(folder_->checkpoints()));
  }
}

}  // namespace sluice::cli
