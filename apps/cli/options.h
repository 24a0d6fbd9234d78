#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/mistakes.h"
#include "sluice/evaluation.h"
#include "sluice/model_file.h"
#include "sluice/network.h"

namespace sluice::cli {

// Options of several verbs.

inline void add_experiment(CLI::App& verb, std::string& file) {
  verb.add_option("EXPERIMENT", file, "TOML file, such as experiments/lab.toml")->required();
}

inline void add_run(CLI::App& verb, std::string& folder) {
  verb.add_option("RUN", folder, "Folder of a run, such as runs/lab")->required();
}

inline void add_data_option(CLI::App& verb, std::string& folder) {
  verb.add_option("--data", folder,
                  "Folder or archive of CIFAR-10; for data.set =\n"
                  "\"folder\" a folder of pictures in train/CLASS\n"
                  "(and test, val) or in CLASS, a CSV file, or\n"
                  "arrays (.npz, .npy, idx); or \"builtin\"")
      ->type_name("DIR");
}

/// Adds --set for the experiment's values of [data].
inline void add_set_data_option(CLI::App& verb, std::vector<std::string>& set) {
  verb.add_option("--set", set, "Override a value of [data], such as\ndata.skip_broken=true")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->check([](const std::string& text) -> std::string {
        if (text.starts_with("data.")) return "";
        return text + ": only values of [data] count here, such as data.skip_broken=true";
      });
}

/// Adds --parallel; the library refuses more than the number of OpenMP threads.
inline void add_parallel_option(CLI::App& verb, int& parallel) {
  verb.add_option("--parallel", parallel,
                  "Train N networks beside each other, each with an\n"
                  "equal part of the threads (default: 1)")
      ->type_name("N")
      ->check(whole_number(1, 1024));
}

/// Adds --deadline of a verb that several ranks work on.
inline void add_deadline_option(CLI::App& verb, double& deadline) {
  verb.add_option("--deadline", deadline,
                  "Under mpirun: seconds without an answer after which\n"
                  "another rank counts as lost (default: 60)")
      ->type_name("SECONDS")
      ->check(whole_number(1, 86'400));
}

inline void add_compute_option(CLI::App& verb, Compute& compute) {
  verb.add_option("--compute", compute,
                  "exact: convolutions by their definition; fast:\n"
                  "Winograd's algorithm; auto (default): fast,\n"
                  "which has the same accuracy in the lab")
      ->type_name("MODE")
      ->transform(word_to_number({{"auto", static_cast<int>(Compute::automatic)},
                                  {"fast", static_cast<int>(Compute::fast)},
                                  {"exact", static_cast<int>(Compute::exact)}}));
}

/// Adds --experts and --share of a network with layers of experts.
inline void add_routing_options(CLI::App& verb, Routing& routing) {
  verb.add_option("--experts", routing.experts,
                  "Experts that answer an image, for a network with\n"
                  "MixtureOfExperts; default: top_k, as trained")
      ->type_name("N")
      ->check(whole_number(1, 65536));
  verb.add_option("--share", routing.share,
                  "Part of the images that go on to the experts of a\n"
                  "Cascade, 0 to 1; default: as trained")
      ->type_name("SHARE");
}

/// Options of compilation for inference, with large batches for throughput.
inline CompileOptions inference_options(Compute compute, const Shape& input) {
  return {.batch = throughput_batch(input), .compute = compute};
}

}  // namespace sluice::cli
