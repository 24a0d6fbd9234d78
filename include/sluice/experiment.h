#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/lab.h"

namespace sluice {

/// All that decides a run, as read from a TOML file.
struct Experiment {
  std::string name;  ///< the file's name without its ending, unless the file says otherwise
  DataOptions data;
  std::vector<Groups::Group> groups;
  LabOptions lab;
};

/// Reads an experiment. `overrides` are "key=value" with a dotted key and a TOML value
/// ("train.learning_rate=1e-4"). Throws Error (user), naming file, line, key and mend, for a key
/// that is unknown, a value of the wrong type or out of range, and groups that cannot be: a class
/// in two, and for "cifar-10" a class in none.
Experiment read_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides = {});

/// The mixture an experiment trains, its baseline and experts among the parts. Classes are as many
/// as the groups have in all.
Mixture declare(const Experiment& experiment);

/// The experiment as a TOML file with every default filled in; read_experiment() gives it back.
std::string to_toml(const Experiment& experiment);

}  // namespace sluice
