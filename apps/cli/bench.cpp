#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/bench_works.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/models.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run_folder.h"
#include "sluice/version.h"

namespace sluice::cli {

namespace {

struct BenchOptions {
  std::vector<std::string> works;
  int batch = 0;
  std::string network = "lab";
  int image_size = 32;
  Compute compute = Compute::automatic;
  double seconds = 3;
  std::string json;
};

/// Default works.
const std::vector<Work> kWorks{
    {"train", 32}, {"train", 128}, {"joint", 32}, {"inference", 256}, {"inference", 1}};

std::optional<NetworkChoice> network_of(const std::string& name) {
  if (name == "lab") return std::nullopt;
  if (name.ends_with(".toml")) return read_experiment(name).lab.network;
  if (std::ranges::find(network_names(), name) == network_names().end()) {
    throw user_error("bench", "--network {}: is no experiment file (*.toml), and none of {}", name,
                     fmt::join(network_names(), ", "));
  }
  NetworkChoice network;
  network.name = name;
  return network;
}

std::vector<Work> wanted(const BenchOptions& options) {
  const std::optional<NetworkChoice> network = network_of(options.network);
  std::vector<Work> works;
  for (const Work& work : kWorks) {
    const auto& names = options.works;
    const bool named = names.empty() ? !network || work.name != "joint"
                                     : std::ranges::find(names, work.name) != names.end();
    // A batch size given by the user replaces all default ones of the work.
    const bool again = options.batch > 0 && !works.empty() && works.back().name == work.name;
    if (named && !again)
      works.push_back(
          {work.name, options.batch > 0 ? options.batch : work.batch, network, options.image_size});
  }
  return works;
}

nlohmann::ordered_json to_json(const WorkResult& result, const std::string& network,
                               Compute compute) {
  auto layers = nlohmann::ordered_json::array();
  for (const LayerProfile& layer : result.profile) {
    const auto ms = [&](double seconds) { return 1000 * seconds / double(result.steps); };
    layers.push_back({{"model", layer.model},
                      {"layer", layer.layer},
                      {"algorithm", layer.algorithm},
                      {"forward_ms", ms(layer.forward_seconds)},
                      {"backward_weights_ms", ms(layer.weights_seconds)},
                      {"backward_data_ms", ms(layer.data_seconds)},
                      {"gflops", layer.operations() / std::max(layer.seconds(), 1e-9) / 1e9}});
  }
  return {{"work", result.work.name},
          {"network", network},
          {"image_size", result.work.image_size},
          {"batch", result.work.batch},
          {"compute", to_string(compute)},
          {"images_per_second", result.images_per_second},
          {"median_ms", result.median_ms},
          {"steps", result.steps},
          {"gflops", result.gflops()},
          {"layers", std::move(layers)}};
}

nlohmann::ordered_json to_json(const Machine& machine, const Ceiling& ceiling) {
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"threads", machine.threads},
          {"gflops", ceiling.gflops},
          {"gigabytes_a_second", ceiling.gigabytes_a_second}};
}

std::string row(const WorkResult& result, const Ceiling& ceiling) {
  const double rate = result.gflops();
  return fmt::format("{:<10} {:>6} {:>10.0f} {:>12.2f} {:>9.0f} {:>11.0f}%\n", result.work.name,
                     result.work.batch, result.images_per_second, result.median_ms, rate,
                     100 * rate / ceiling.gflops);
}

void bench(const BenchOptions& options) {
  if (options.network != "lab" && std::ranges::find(options.works, "joint") != options.works.end())
    throw user_error("bench", "only the lab has a mixture: leave out joint, or --network");
  if (!options.json.empty()) require_replaceable(options.json, kJson);
  const Machine machine = this_machine();
  const Ceiling ceiling = measure_ceiling();
  const Compute compute = on_this_processor(options.compute);
  print_out(
      "{}, {} threads: measured maximum {:.0f} GFLOP/s, {:.1f} GB/s\n"
      "compute: {}\n\n{:<10} {:>6} {:>10} {:>12} {:>9} {:>12}\n",
      machine.cpu, machine.threads, ceiling.gflops, ceiling.gigabytes_a_second, to_string(compute),
      "work", "batch", "images/s", "median ms", "GFLOP/s", "of maximum");
  std::vector<WorkResult> results;
  auto works = nlohmann::ordered_json::array();
  for (const Work& work : wanted(options)) {
    results.push_back(measure(work, compute, options.seconds));
    print_out("{}", row(results.back(), ceiling));
    flush_out();
    works.push_back(to_json(results.back(), options.network, compute));
  }
  for (const WorkResult& result : results) {
    print_out("\n{}, batch {}: milliseconds per step\n{}", result.work.name, result.work.batch,
              profile_text(result.profile, result.seconds, result.steps));
  }
  const double peak = static_cast<double>(peak_memory_bytes());
  print_out("\npeak memory: {:.0f} MB\n", peak / 1e6);
  if (options.json.empty()) return;
  const nlohmann::ordered_json all{{"machine", to_json(machine, ceiling)},
                                   {"works", std::move(works)},
                                   {"peak_memory_bytes", peak_memory_bytes()}};
  write_file(options.json, all.dump(2) + "\n");
}

}  // namespace

void add_bench(CLI::App& app) {
  auto* verb = app.add_subcommand("bench", "Measure how fast this machine trains and predicts");
  verb->footer(R"(Examples:
  sluice bench                              training, mixture and inference
  sluice bench train --batch 64             only training
  sluice bench train --network airbench --batch 1024
  sluice bench --network experiments/pays.toml
  sluice bench --compute exact --json exact.json
  OMP_NUM_THREADS=1 sluice bench            on one core

"train" is a training step of the small CNN, "joint" one of the mixture with
two experts, "inference" a prediction of the mixture; with --network, both are
of that network. GFLOP/s counts the operations of the layers' definitions; an
algorithm that needs fewer can exceed the maximum. Run no other programs at the
same time.)");
  const auto options = std::make_shared<BenchOptions>();
  verb->add_option("WORK", options->works, "train, joint, inference (default: all)")
      ->check(one_of({"train", "joint", "inference"}));
  verb->add_option("--batch", options->batch, "Images per step")
      ->type_name("N")
      ->check(whole_number(1, 4096));
  verb->add_option("--network", options->network,
                   "Network: lab (default), airbench, resnet20,\n"
                   "mobilenet-small, or an experiment's FILE")
      ->type_name("NAME");
  verb->add_option("--image-size", options->image_size, "Height and width (default: 32)")
      ->type_name("N")
      ->check(whole_number(8, 1024));
  add_compute_option(*verb, options->compute);
  verb->add_option("--seconds", options->seconds, "Seconds for each work (default: 3)")
      ->type_name("S")
      ->check(number(0.01, 3600));
  verb->add_option("--json", options->json, "Also write the results to this file")
      ->type_name("FILE");
  verb->callback([options] { bench(*options); });
}

}  // namespace sluice::cli
