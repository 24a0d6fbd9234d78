#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "sluice/network.h"

namespace sluice::cli {

// Options that several verbs have.

inline void add_experiment(CLI::App& verb, std::string& file) {
  verb.add_option("EXPERIMENT", file, "TOML file, such as experiments/lab.toml")->required();
}

inline void add_run(CLI::App& verb, std::string& folder) {
  verb.add_option("RUN", folder, "Folder of a run, such as runs/lab")->required();
}

inline void add_data_option(CLI::App& verb, std::string& folder) {
  verb.add_option("--data", folder,
                  "Folder of CIFAR-10 binary files, or with\n"
                  "train/CLASS/*.jpg and test/CLASS/*.jpg\n"
                  "(or png), or \"builtin\"")
      ->type_name("DIR");
}

/// How verbs compile a model that is not trained: large batches for throughput.
inline CompileOptions inference_options() {
  return {.batch = 100, .training = false};
}

}  // namespace sluice::cli
