#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/evaluation.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/verdict.h"
#include "sluice/model_file.h"
#include "sluice/trainer.h"

namespace [[gnu::visibility("default")]] sluice {

// An experiment describes a run; the run's folder keeps what came of it.

/// All that decides a run, as read from a TOML file.
struct Experiment {
  std::string name;  ///< the file's name without its ending, unless the file says otherwise
  DataOptions data;
  std::vector<Groups::Group> groups;
  LabOptions lab;
  std::string file = "groups";  ///< where it was read: messages about its groups start with it
};

/// Reads an experiment. `overrides` are "key=value" with a dotted key and a TOML value
/// ("train.learning_rate=1e-4"). Throws Error (user), naming file, line, key and mend, for a key
/// that is unknown, a value of the wrong type or out of range, and groups that cannot be: a class
/// in two, and for "cifar-10" a class in none.
Experiment read_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides = {});

/// What an experiment without a file would read: the defaults, overridden.
DataOptions read_data_options(const std::vector<std::string>& overrides);

/// The classes in the order of their labels: CIFAR-10's, or those of a folder, sorted.
std::vector<std::string> class_names_of(const Experiment& experiment);

/// The mixture an experiment trains, its baseline and experts among the parts. Classes are as many
/// as the groups have in all.
Mixture declare(const Experiment& experiment);

/// The experiment as a TOML file with every default filled in; read_experiment() gives it back.
std::string to_toml(const Experiment& experiment);

/// Everything but the name as lines of "key = value" in a fixed order, groups last: what a run must
/// still have when it is resumed.
std::string settings_text(const Experiment& experiment);

/// The first key that has another value in `now`, and both values; empty if none has. Names do not
/// count. The texts are those of settings_text().
std::string difference(const Experiment& before, const Experiment& now);
std::string difference(std::string_view before, std::string_view now);

/// What results.json says of one model.
struct ModelResult {
  Cost cost;
  History history;
  Evaluation test;  ///< on its own test images: an expert's group, the gate's labels
  std::optional<Evaluation> whole;  ///< experts: on the whole test set
  double latency_ms = 0;            ///< for one image; 0 where it was not measured
  /// In words, what it was trained with: one machine, unless the run was resumed elsewhere.
  std::vector<std::string> machines = {};
};

struct Results {
  struct Expert {
    std::string group;
    ModelResult result;
  };

  /// What a control cost; how it did is in the verdict.
  struct Control {
    std::string name;
    Cost cost;
    History history;  ///< of all that it is made of
    double latency_ms = 0;
    std::vector<std::string> machines = {};  ///< as in ModelResult
  };

  Experiment experiment;
  std::string data_name;
  std::string data_source;
  std::vector<std::string> class_names;
  std::size_t train_images = 0;
  std::size_t test_images = 0;
  std::map<std::string, std::size_t> left_out{};  ///< Dataset::left_out
  ModelResult baseline;  ///< the frozen one, as it was before joint training
  std::vector<Expert> experts;
  ModelResult gate;
  ModelResult mixture;
  std::vector<Control> controls;
  Verdict verdict;
  /// What each part of the mixture took of evaluating the test images.
  std::vector<std::pair<std::string, double>> part_seconds;
  double total_seconds = 0;  ///< from the first stage's start to the last one's end
};

/// What the whole mixture took: the training of every stage, the baseline's too. Without epochs.
History all_stages(const Results& results);

/// For how many epochs the baseline could be trained for what all stages of the mixture took, by
/// Cost::training_flops.
int epochs_for_the_same(const Results& results);

/// results.json as text. Keys others rely on: format (1), baseline.accuracy, mixture.accuracy,
/// gate.accuracy, experts.<group>.accuracy (own classes), <model>.parameters, <model>.seconds,
/// total_seconds.
std::string to_json(const Results& results);

/// predictions.csv as text: RFC 4180 with a row of headings. A name that a spreadsheet would take
/// for a formula has a ' before it.
std::string predictions_csv(const Answers& answers);
/// gallery.json as text; the answers are to the examples.
std::string gallery_json(const Answers& answers, const Examples& examples);

/// What a run was trained on, to be found again and known again.
struct DataRecord {
  struct Half {
    std::size_t images = 0;
    std::string sha256;  ///< of pixels and labels
  };

  std::string set;    ///< DataOptions::set
  std::string name;   ///< Dataset::name
  std::string place;  ///< Dataset::place
  std::vector<std::string> class_names;
  Half train;
  Half test;
};

/// `set` is that of the options that loaded it.
DataRecord record_of(const Dataset& data, const std::string& set);

/// A folder that people can read and programs can parse:
///   experiment.toml   every default filled in
///   data.json         what it is trained on: place, counts, classes, SHA-256 of both halves
///   results.json      written last: a run without it did not finish
///   <model>/          one for each of stages()
///     history.csv         one row an epoch
///     model.safetensors   see write_model()
///   predictions.csv   what gate, baseline, mixture and controls answer for every test image
///   gallery.json      images that the mixture fixed or broke, and what its parts say of them
///   report.html       all of it as a page
///   SHA256SUMS        of a run that has finished: check sums of what verbs read again
///   figures/*.png
///   checkpoints/      of a run that has not finished: where it can go on
/// Every file is written beside its place, flushed and renamed.
class RunFolder {
 public:
  /// Makes a new folder with the experiment and the record of its data in it: `wanted`, or where
  /// that is empty the first free of runs/<name>, runs/<name>2, runs/<name>3... Throws Error (user)
  /// as require_free() does.
  static RunFolder create(const std::filesystem::path& wanted, const Experiment& experiment,
                          const std::optional<DataRecord>& data = {});
  /// What create() would refuse, before long work is done: Error (user) for a `wanted` that exists
  /// and is not an empty folder.
  static void require_free(const std::filesystem::path& wanted);
  /// Throws Error (user) if there is no run.
  static RunFolder open(const std::filesystem::path& path);

  /// Deletes files that a killed program was still writing.
  void remove_leftovers() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path figures() const { return path_ / "figures"; }
  std::filesystem::path checkpoints() const;
  bool finished() const;
  /// Whether it has models that were not trained here: none has a history.
  bool imported() const;
  /// The models it has so far, less controls, in the order of stages(); of a run that was stopped
  /// or imported, not all.
  std::vector<std::string> models() const;
  bool has_model(const std::string& name) const;

  void write_experiment(const Experiment& experiment) const;
  /// See sluice::read_experiment() for the overrides.
  Experiment read_experiment(const std::vector<std::string>& overrides = {}) const;

  void write_data(const DataRecord& record) const;
  /// Nothing for a run that has no data.json: an earlier version's, or an imported one. Throws
  /// Error (user) for a damaged one.
  std::optional<DataRecord> read_data() const;

  void write_history(const std::string& model, const History& history) const;

  /// `name` is the folder's: Stage::name.
  void write_model(const std::string& name, const AnyModel& model) const;
  /// Throw Error (user) naming the file if it is missing (the run did not get there), damaged or of
  /// another kind.
  SavedModel read_model(const std::string& name) const;
  SavedMixture read_mixture() const;

  /// predictions.csv: for every test image the true class, what gate, baseline, mixture and
  /// controls answer, the probabilities of all classes, and the image's file.
  void write_predictions(const Answers& answers) const;

  /// gallery.json: the first test images that the mixture has right and the frozen baseline wrong,
  /// and the other way round, with what gate, expert and importances say of them.
  void write_gallery(const Answers& answers, const Examples& examples) const;

  void write_results(const Results& results) const;

  /// SHA256SUMS, of all that verbs read again: called when the run is finished. From then on a file
  /// that was changed is refused where it is read.
  void write_sums() const;

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path existing_model(const std::string& name) const;

  std::filesystem::path path_;
};

/// The test images of a run: those it was trained with, which data.json tells, or those in `place`
/// where it is not empty. Unless `others` are allowed, Error (user) is thrown for images that are
/// not the run's own, and else they are said to be others. Labels and errors are those of
/// sluice::load_test_data().
Dataset load_test_data(const RunFolder& run, const Experiment& experiment, const std::string& place,
                       bool others, const DataEvents& events);

}  // namespace sluice
