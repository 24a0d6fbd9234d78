#include "sluice/lab/run_folder.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "base/fail.h"
#include "base/file_kind.h"
#include "base/files.h"
#include "base/text.h"
#include "run/run_sums.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRuns = "runs";
constexpr const char* kExperiment = "experiment.toml";
constexpr const char* kGroups = "groups.toml";
constexpr const char* kResults = "results.json";
constexpr const char* kPredictions = "predictions.csv";
constexpr const char* kGallery = "gallery.json";
constexpr std::uint64_t kMaxExperiment = 1'000'000;
constexpr const char* kFigures = "figures";
constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kHistory = "history.csv";
constexpr const char* kModel = "model.safetensors";

/// Makes the missing folders of a path; other processes may do so at the same time.
void make_folders(const fs::path& path) {
  if (path.empty() || is_folder(path)) return;
  make_folders(path.parent_path());
  if (!make_folder(path) && !is_folder(path)) {
    throw user_error("run", "{} is a file, not a folder: choose another", path_text(path));
  }
}

std::vector<std::string> runs_in(const fs::path& folder) {
  std::vector<std::string> runs;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const fs::path& run = it->path();
    if (fs::is_regular_file(run / kExperiment, ignored)) runs.push_back(path_text(run));
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

/// Suggests runs to a user who named none.
std::string mend(std::vector<std::string> runs) {
  constexpr std::size_t kMost = 5;
  if (runs.empty()) return "make one with `sluice train`";
  const std::string more = runs.size() > kMost ? ", ..." : "";
  runs.resize(std::min(runs.size(), kMost));
  return fmt::format("there are {}{}", fmt::join(runs, ", "), more);
}

/// Returns the model if it is of the wanted kind, else throws Error (user).
template <class Kind>
Kind expect(AnyModel model, const fs::path& file, const char* wanted) {
  if (Kind* found = std::get_if<Kind>(&model)) return std::move(*found);
  throw user_error("run", "{} is not {}: was it put there by hand?", path_text(file), wanted);
}

/// A folder that gets its name after its first contents, or is deleted. A killed program leaves
/// either a run that can be resumed or none.
class PendingFolder {
 public:
  explicit PendingFolder(const fs::path& target) {
    for (int n = 0; path_.empty(); ++n) {
      fs::path path = target.parent_path() /
                      fmt::format(".{}.{}-{}.part", target.filename().string(), ::getpid(), n);
      if (make_folder(path, target)) path_ = std::move(path);
    }
  }
  ~PendingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PendingFolder(const PendingFolder&) = delete;
  PendingFolder& operator=(const PendingFolder&) = delete;

  const fs::path& path() const { return path_; }

  /// Returns false if the name is taken.
  bool rename(const fs::path& target) const {
    if (fs::exists(target)) return false;  // rename() would replace an empty folder
    std::error_code error;
    fs::rename(path_, target, error);
    if (!error) return true;
    if (error == std::errc::directory_not_empty || error == std::errc::file_exists ||
        error == std::errc::not_a_directory) {
      return false;
    }
    throw machine_error("run", "{} cannot be made: {}: choose another folder", path_text(target),
                        error.message());
  }

 private:
  fs::path path_;
};

Error not_empty(const fs::path& wanted) {
  return user_error("run", "{} is not empty: choose another folder, or delete it",
                    path_text(wanted));
}

}  // namespace

RunFolder RunFolder::create(const fs::path& wanted, const Experiment& experiment,
                            const std::optional<DataRecord>& data) {
  const auto begin = [&](const RunFolder& run) {
    if (data) run.write_data(*data);
    run.write_experiment(experiment);  // last: it makes the folder a run
  };
  if (is_folder(wanted)) {
    require_free(wanted);
    // If two runs find the folder empty, only one can make the folder of figures.
    if (!make_folder(wanted / kFigures)) throw not_empty(wanted);
    const RunFolder run(wanted);
    begin(run);
    return run;
  }
  if (wanted.empty() && !is_plain_name(experiment.name)) {
    throw user_error("run", "a run cannot be named '{}': use letters, digits, _ and -",
                     one_line(experiment.name));
  }
  fs::path path = wanted.empty() ? kRuns / fs::path(experiment.name) : wanted;
  if (!path.has_filename()) path = path.parent_path();  // "a/b/"
  require_free(wanted);
  make_folders(path.parent_path());
  const PendingFolder pending(path);
  make_folder(pending.path() / kFigures);
  begin(RunFolder(pending.path()));
  for (int n = 2; !pending.rename(path); ++n) {
    if (!wanted.empty()) throw not_empty(wanted);
    path = fs::path(kRuns) / fmt::format("{}{}", experiment.name, n);
  }
  return RunFolder(wanted.empty() ? path : wanted);
}

void RunFolder::require_free(const fs::path& wanted) {
  std::error_code error;
  if (wanted.empty() || !fs::exists(wanted, error)) return;
  if (!is_folder(wanted)) {
    throw user_error("run", "{} is a file, not a folder: choose another", path_text(wanted));
  }
  if (!fs::is_empty(wanted, error)) throw not_empty(wanted);
}

RunFolder RunFolder::open(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path / kExperiment, ignored)) return RunFolder(path);
  if (!fs::exists(path, ignored)) {
    const fs::path meant = kRuns / path.filename();
    if (!path.filename().empty() && fs::is_regular_file(meant / kExperiment, ignored)) {
      throw user_error("run", "{} does not exist: did you mean {}?", path_text(path),
                       path_text(meant));
    }
    throw user_error("run", "{} does not exist: {}", path_text(path), mend(runs_in(kRuns)));
  }
  if (!is_folder(path)) {
    // The path may be a file in a run's folder, or in that of one of its models.
    for (const fs::path& folder : {path.parent_path(), path.parent_path().parent_path()}) {
      if (!fs::is_regular_file(folder / kExperiment, ignored)) continue;
      throw user_error("run", "{} is a file of a run: did you mean {}?", path_text(path),
                       folder.empty() ? "." : path_text(folder));
    }
    throw wrong_kind("run", path_text(path), kind_of_file(path, "run"), "the folder of a run");
  }
  const std::vector<std::string> inside = runs_in(path);
  throw user_error("run", "{} is not a run folder: {} is missing: {}", path_text(path), kExperiment,
                   mend(inside.empty() ? runs_in(kRuns) : inside));
}

void RunFolder::remove_leftovers() const {
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path_, error), end; !error && it != end;
       it.increment(error)) {
    if (is_pending(it->path())) leftovers.push_back(it->path());
  }
  for (const fs::path& file : leftovers) fs::remove(file, error);
}

bool RunFolder::has_model(const std::string& name) const {
  std::error_code ignored;
  return fs::exists(path_ / name / kModel, ignored);
}

std::vector<std::string> RunFolder::models() const {
  std::vector<std::string> names;
  for (const Stage& stage : stages({}, read_experiment().groups)) {
    if (has_model(stage.name)) names.push_back(stage.name);
  }
  return names;
}

fs::path RunFolder::checkpoints() const {
  return path_ / kCheckpoints;
}

bool RunFolder::finished() const {
  std::error_code ignored;
  return fs::is_regular_file(path_ / kResults, ignored);
}

bool RunFolder::imported() const {
  std::error_code ignored;
  bool has_models = false;
  for (const fs::path& part : list_folder(path_, "run")) {
    if (fs::exists(part / kHistory, ignored)) return false;
    has_models = has_models || fs::exists(part / kModel, ignored);
  }
  return has_models;
}

void RunFolder::write_experiment(const Experiment& experiment) const {
  write_file(path_ / kExperiment, to_toml(experiment));
}

Experiment RunFolder::read_experiment(const std::vector<std::string>& overrides) const {
  read_summed(path_, kExperiment, kMaxExperiment, "run");
  Experiment experiment = sluice::read_experiment(path_ / kExperiment, overrides);
  std::error_code ignored;
  if (experiment.finds_groups && fs::exists(path_ / kGroups, ignored)) {
    read_summed(path_, kGroups, kMaxExperiment, "run");
    // Their classes are those of the run's data.
    const std::string set = "data.set=" + experiment.data.set;
    experiment.groups = sluice::read_experiment(path_ / kGroups, {set}).groups;
  }
  return experiment;
}

void RunFolder::write_groups(const std::vector<Groups::Group>& groups) const {
  write_file(path_ / kGroups, groups_toml(groups));
}

void RunFolder::write_history(const std::string& model, const History& history) const {
  std::string text = "epoch,loss,accuracy,val_loss,val_accuracy,seconds\n";
  for (std::size_t i = 0; i < history.epochs.size(); ++i) {
    const Epoch& epoch = history.epochs[i];
    // fmt writes the fewest digits that give the same number back.
    text += fmt::format("{},{},{},{},{},{}\n", i + 1, epoch.loss, epoch.accuracy, epoch.val_loss,
                        epoch.val_accuracy, epoch.seconds);
  }
  make_folders(path_ / model);
  write_file(path_ / model / kHistory, text);
}

void RunFolder::write_model(const std::string& name, const AnyModel& model) const {
  make_folders(path_ / name);
  sluice::write_model(path_ / name / kModel, model);
}

fs::path RunFolder::existing_model(const std::string& name) const {
  const fs::path file = path_ / name / kModel;
  if (has_model(name)) return file;
  throw user_error(
      "run", "{} is missing: {}", path_text(file),
      imported()   ? fmt::format("the run was imported with {} alone", fmt::join(models(), ", "))
      : finished() ? "train again"
                   : fmt::format("the run was stopped before it: resume with `sluice "
                                 "train --resume {}`",
                                 path_text(path_)));
}

SavedModel RunFolder::read_model(const std::string& name) const {
  const fs::path file = existing_model(name);
  return expect<SavedModel>(sluice::read_model(file), file, "a single network");
}

SavedMixture RunFolder::read_mixture() const {
  const fs::path file = existing_model(names::kMixture);
  return expect<SavedMixture>(sluice::read_model(file), file, "a mixture");
}

void RunFolder::write_predictions(const Answers& answers) const {
  write_file(path_ / kPredictions, predictions_csv(answers));
}

void RunFolder::write_gallery(const Answers& answers, const Examples& examples) const {
  write_file(path_ / kGallery, gallery_json(answers, examples));
}

void RunFolder::write_sums() const {
  std::vector<std::string> files{kExperiment, "data.json", kResults, kPredictions, kGallery};
  std::error_code ignored;
  if (fs::exists(path_ / kGroups, ignored)) files.emplace_back(kGroups);
  for (const fs::path& folder : list_folder(path_, "run")) {
    if (!is_folder(folder)) continue;
    const std::string name = folder.filename().string();
    for (const char* file : {kHistory, kModel}) files.push_back(name + "/" + file);
  }
  sluice::write_sums(path_, files);
}

void RunFolder::write_results(const Results& results) const {
  write_file(path_ / kResults, to_json(results));
}

}  // namespace sluice
