#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sluice/lab/run_folder.h"

namespace sluice {

/// An experiment with its choices as the words in the file.
struct Settings {
  Experiment experiment;
  std::string size = "small";
  std::string resize = "stretch";
  std::string compute = "auto";
  std::string mirror = "none";
  std::string views = "one";
};

Settings to_settings(const Experiment& experiment);
Experiment to_experiment(Settings settings);

/// A key of the file, bound to its variable, with the values that it allows.
struct Key {
  struct Name {  ///< usable as a folder's name
    std::string* value;
  };
  struct Choice {
    std::string* value;
    std::vector<std::string> words;
  };
  struct Count {
    int* value;
    int least;
    int most;
  };
  struct Size {  ///< of an image: one number for a square, or [height, width]
    int* height;
    int* width;
  };
  struct Channels {
    int* value;
  };
  struct Flag {
    bool* value;
  };
  struct Seed {
    std::uint64_t* value;
  };
  struct Real {
    double* value;
    bool (*allowed)(double);
    const char* in_words;  ///< "between 0 and 1"
  };

  struct Reals {
    std::vector<double>* values;
    bool (*allowed)(double);
    const char* in_words;
  };

  struct Place {  ///< a file or a folder, or ""
    std::string* value;
  };
  struct Words {
    std::vector<std::string>* values;
    const char* like;  ///< an example
  };
  struct Weights {  ///< "none", "balanced", or a table of classes
    ClassWeights* value;
  };

  std::string path;  ///< "train.epochs.gate"
  std::variant<Name, Choice, Count, Size, Channels, Flag, Seed, Real, Reals, Weights, Place, Words>
      what;

  std::string table() const;  ///< "train.epochs"; empty for a key outside all tables
  std::string name() const;   ///< "gate"
};

/// Returns every key except the groups, in the order of the file. Reading, overrides, checks,
/// suggestions and writing use this list. It refers to `settings`.
std::vector<Key> keys_of(Settings& settings);
/// Likewise of a table of train.before.
std::vector<Key> keys_of(EarlierStage& stage);

}  // namespace sluice
