#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/evaluation.h"
#include "sluice/lab/frontier.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/verdict.h"
#include "sluice/model_file.h"
#include "sluice/trainer.h"

#pragma GCC visibility push(default)

namespace sluice {

// Experiments, which describe runs, and run folders, which keep their results.

/// All settings of a run, read from a TOML file. Without groups it trains one network, the
/// baseline.
struct Experiment {
  std::string name;  ///< if the file has none, its own name without extension
  DataOptions data;
  std::vector<Groups::Group> groups;
  /// `groups` is to be found by the errors of the baseline, once that is trained: groups = "auto".
  bool finds_groups = false;
  LabOptions lab;
  /// A run, or a model file, whose weights the network begins with where they fit; empty for none.
  std::string weights;
  Views views = Views::one;  ///< of the test images, in the evaluation of one network
  FrontierOptions frontier;
  std::string file = "groups";  ///< file and key, for messages about the groups

  bool has_mixture() const { return finds_groups || !groups.empty(); }
  bool awaits_groups() const { return finds_groups && groups.empty(); }
};

/// Reads an experiment. `overrides` are "key=value" with a dotted key and a TOML value
/// ("train.learning_rate=1e-4"). Throws Error (user), with file, line, key and how to mend it, for
/// an unknown key, a value of the wrong type or out of range, a class in two groups, for "cifar-10"
/// a class in no group, and for controls without groups.
Experiment read_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides = {});

/// Returns the data options of an experiment without a file: the defaults with overrides.
DataOptions read_data_options(const std::vector<std::string>& overrides);

/// Returns the classes in the order of their labels: those of CIFAR-10, or those of a folder,
/// sorted. Empty for a folder without groups, whose classes the experiment does not know.
std::vector<std::string> class_names_of(const Experiment& experiment);

/// Returns the mixture that an experiment trains, with its baseline and experts as parts, or
/// without groups its one network. `class_names` are those of the data.
std::variant<Sequential, Mixture> declare(const Experiment& experiment,
                                          const std::vector<std::string>& class_names);

/// Returns the experiment as a TOML file with all defaults; read_experiment() reads it back.
std::string to_toml(const Experiment& experiment);
/// Returns [[groups]] of an experiment as TOML.
std::string groups_toml(const std::vector<Groups::Group>& groups);

/// Returns all settings except the name, as lines of "key = value" in a fixed order, groups last. A
/// resumed run must have the same settings.
std::string settings_text(const Experiment& experiment);

/// Returns the first key whose value differs in `now`, with both values; empty if none differs.
/// Names do not count. The texts are those of settings_text(); a key that one lacks, because
/// another version wrote it, has its default.
std::string difference(const Experiment& before, const Experiment& now);
std::string difference(std::string_view before, std::string_view now);

/// Results of one model in results.json.
struct ModelResult {
  Cost cost;
  History history;
  Evaluation test;  ///< on examples_of() its stage: an expert's group, labels by group for the gate
  std::optional<Evaluation> whole;  ///< experts only: on all test images
  double latency_ms = 0;            ///< for one image; 0 if it was not measured
  /// Descriptions of the machines that trained it: one, unless the run was resumed on another.
  std::vector<std::string> machines = {};
};

/// What several ranks needed to train a run together.
struct ClusterFigures {
  std::vector<std::string> hosts;  ///< of each rank that trained
  int shards = 1;
  std::size_t bytes_sent = 0;  ///< by rank 0, of gradients, outputs and dense layers' rows
  double seconds_waited = 0;   ///< of rank 0 for these, where it did not compute meanwhile
};

/// Results of a run. Without groups it has no mixture: only `baseline` and its part of the verdict
/// are set.
struct Results {
  struct Expert {
    std::string group;
    ModelResult result;
  };

  /// A stage before the baseline's, of one network.
  struct Part {
    std::string name;
    ModelResult result;
  };

  /// Cost of a control; the verdict has its accuracy.
  struct Control {
    std::string name;
    Cost cost;
    History history;  ///< of all its networks
    double latency_ms = 0;
    std::vector<std::string> machines = {};  ///< as in ModelResult
  };

  Experiment experiment;
  std::string data_name;
  std::string data_source;
  std::vector<std::string> class_names;
  std::size_t train_images = 0;
  std::size_t test_images = 0;
  std::size_t validation_images = 0;              ///< of data that has some
  std::map<std::string, std::size_t> left_out{};  ///< Dataset::left_out
  std::vector<Part> earlier{};                    ///< LabOptions::before
  ModelResult baseline;                           ///< frozen: as it was before joint training
  std::vector<Expert> experts;
  ModelResult gate;
  ModelResult mixture;
  std::vector<Control> controls;
  Verdict verdict;
  /// Seconds of each part of the mixture in the evaluation of the test images.
  std::vector<std::pair<std::string, double>> part_seconds;
  double total_seconds = 0;  ///< from the start of the first stage to the end of the last
  std::optional<ClusterFigures> cluster{};  ///< of a run on several ranks

  bool has_mixture() const { return experiment.has_mixture(); }
};

/// Returns the cost of the whole mixture: of training all its stages, including the baseline. Its
/// epochs are empty.
History all_stages(const Results& results);

/// Returns the number of epochs for which the baseline can be trained with the computation of all
/// the mixture's stages, by Cost::training_flops.
int epochs_for_the_same(const Results& results);

/// Returns results.json as text. Keys that other programs use: format (1), baseline.accuracy,
/// mixture.accuracy, gate.accuracy, experts.<group>.accuracy (own classes), <model>.parameters,
/// <model>.seconds, total_seconds. Without groups it has no gate, experts, mixture and controls.
std::string to_json(const Results& results);

/// Returns predictions.csv as text: RFC 4180 with a row of headings. A name that a spreadsheet
/// would read as a formula has a ' before it.
std::string predictions_csv(const Answers& answers);
/// Returns gallery.json as text; the answers are those for the examples.
std::string gallery_json(const Answers& answers, const Examples& examples);

/// Record of the data that a run was trained on, to find and identify it.
struct DataRecord {
  struct Half {
    std::size_t images = 0;
    std::string sha256;  ///< digest of pixels and labels
  };

  std::string set;    ///< DataOptions::set
  std::string name;   ///< Dataset::name
  std::string place;  ///< Dataset::place
  std::vector<std::string> class_names;
  Half train;
  Half test;
  Half validation{};  ///< of data that has validation images
  std::string all{};  ///< digest of the images of all halves, in checkpoints and not in data.json
};

/// Returns the record of loaded data; `set` is DataOptions::set.
DataRecord record_of(const Dataset& data, const std::string& set);

/// A run's folder, for people and programs:
///   experiment.toml   with all defaults
///   data.json         the data: place, counts, classes, SHA-256 of both halves
///   results.json      written last: a run without it is not finished
///   start/            the model whose weights the network began with, if there is one
///   <model>/          one for each stage
///     history.csv         one row per epoch
///     model.safetensors   see write_model()
///   predictions.csv   outputs of gate, baseline, mixture and controls for every test image
///   gallery.json      the worst mistakes of each class, and images that the mixture fixed or broke
///   report.html       the report as a page
///   SHA256SUMS        of a finished run: checksums of the files that are read again
///   figures/*.png
///   checkpoints/      of a run that is not finished: its state, for resume()
/// Every file is written under a temporary name, flushed and renamed.
class RunFolder {
 public:
  /// Makes a new folder with the experiment and the record of its data: `wanted`, or if that is
  /// empty the first free one of runs/<name>, runs/<name>2, runs/<name>3... Throws Error (user) as
  /// require_free() does.
  static RunFolder create(const std::filesystem::path& wanted, const Experiment& experiment,
                          const std::optional<DataRecord>& data = {});
  /// Throws Error (user), as create() would, if `wanted` exists and is not an empty folder. Call it
  /// before long work.
  static void require_free(const std::filesystem::path& wanted);
  /// Opens the folder of a run. Throws Error (user) if `path` is not one.
  static RunFolder open(const std::filesystem::path& path);

  /// Deletes incomplete files of a killed program.
  void remove_leftovers() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path figures() const { return path_ / "figures"; }
  std::filesystem::path checkpoints() const;
  bool finished() const;
  /// Whether its models were imported: none has a history.
  bool imported() const;
  /// Names of its models so far, without controls, in the order of stages(). A stopped or imported
  /// run may not have all.
  std::vector<std::string> models() const;
  bool has_model(const std::string& name) const;

  void write_experiment(const Experiment& experiment) const;
  /// Writes groups.toml: the groups that a run has found.
  void write_groups(const std::vector<Groups::Group>& groups) const;
  /// Reads experiment.toml, and the groups that the run has found. sluice::read_experiment()
  /// describes the overrides.
  Experiment read_experiment(const std::vector<std::string>& overrides = {}) const;

  void write_data(const DataRecord& record) const;
  /// Reads data.json; empty if the run has none because an earlier version wrote it or it was
  /// imported. Throws Error (user) if it is damaged.
  std::optional<DataRecord> read_data() const;

  void write_history(const std::string& model, const History& history) const;

  /// Writes model.safetensors to the folder `name`: Stage::name.
  void write_model(const std::string& name, const AnyModel& model) const;
  /// These throw Error (user) with the file if it is missing (the run was stopped before it),
  /// damaged or of another kind.
  SavedModel read_model(const std::string& name) const;
  SavedMixture read_mixture() const;

  /// Writes predictions.csv: for every test image the true class, the outputs of gate, baseline,
  /// mixture and controls, the probabilities of all classes, and the image's file.
  void write_predictions(const Answers& answers) const;

  /// Writes gallery.json: the first test images that the mixture classifies correctly and the
  /// frozen baseline does not, and the reverse, with the outputs of gate, expert and importance
  /// model; and of each class up to three test images that the mixture, or the one network, takes
  /// for another class with the highest probability.
  void write_gallery(const Answers& answers, const Examples& examples) const;

  void write_results(const Results& results) const;

  /// Writes SHA256SUMS of all files that are read again; called when the run is finished.
  /// Afterwards a changed file is refused when it is read.
  void write_sums() const;

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path existing_model(const std::string& name) const;

  std::filesystem::path path_;
};

/// Loads all images of a run, as load_test_data() loads its test images.
Dataset load_run_data(const RunFolder& run, const Experiment& experiment, const std::string& place,
                      const DataEvents& events);

/// Returns the validation images of a run's data, by which choices are made: the data's own, or
/// train.validation_split's. Throws Error (user) if there are none: a choice by the test images
/// would spoil them.
Examples images_to_choose_by(const LabOptions& options, const Dataset& data);

/// Requires that a model of the run `run` was trained for the classes and the shape of the images,
/// because an output is identified only by its position. Throws Error (user).
void require_fit(const std::filesystem::path& run, const std::string& model, const Shape& input,
                 const std::vector<std::string>& classes, const Examples& given);

/// Loads the test images of a run: those in `place`, or if it is empty those that data.json names.
/// If they are not the run's own images, it throws Error (user), or with `others` reports that by
/// `events.say`. Labels and other errors are those of sluice::load_test_data().
Dataset load_test_data(const RunFolder& run, const Experiment& experiment, const std::string& place,
                       bool others, const DataEvents& events);

}  // namespace sluice

#pragma GCC visibility pop
