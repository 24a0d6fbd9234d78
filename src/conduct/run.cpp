#include "sluice/lab/run.h"

#include <fmt/ranges.h>

#include <cmath>
#include <optional>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "conduct/conductor.h"
#include "conduct/experiment_lab.h"
#include "conduct/ranks/team.h"
#include "conduct/run_or_resume.h"
#include "conduct/stopping.h"
#include "formats/text/json_text.h"
#include "run/experiment_checks.h"
#include "run/run_contents.h"
#include "run/run_data.h"

namespace sluice {

namespace {

namespace fs = std::filesystem;

/// Throws Error (user) unless there are images by which groups of classes can be found.
void require_images_to_find_groups(const Experiment& experiment, const Dataset& data) {
  constexpr std::size_t kFewestClasses = 4;
  if (data.class_names.size() < kFewestClasses) {
    throw user_error("groups",
                     "{}: groups = \"auto\" needs {} classes or more, and there are {}: train one "
                     "network, without groups",
                     experiment.file, kFewestClasses, data.class_names.size());
  }
  const std::vector<std::size_t> images = images_to_choose_by(experiment.lab, data).distribution();
  const auto none = std::ranges::find(images, 0U);
  if (none == images.end()) return;
  throw user_error("groups",
                   "class '{}' has no validation image, by which groups = \"auto\" is found: raise "
                   "train.validation_split, or add some",
                   one_line(data.class_names[static_cast<std::size_t>(none - images.begin())]));
}

/// Whether a run has its report, which is written last.
bool is_done(const RunFolder& folder) {
  std::error_code ignored;
  return folder.finished() && fs::exists(folder.path() / "report.html", ignored);
}

/// Throws Error (user) if a run would continue with other images than it began with.
void require_same_data(const RunFolder& run, const DataRecord& before, const DataRecord& now) {
  if (same_images(before, now)) return;
  throw user_error("train", "{}, and {} has other images: {}", training_in_words(run, before),
                   path_text(now.place),
                   now.place == before.place
                       ? "restore the original ones, or train again without --resume"
                       : "leave out --data, or give the same images");
}

/// Opens a stopped run. Throws Error (user) if it cannot be resumed.
RunFolder open_stopped(const fs::path& path) {
  RunFolder folder = RunFolder::open(path);
  std::error_code ignored;
  // Checkpoints that a kill left after the report are not needed.
  const bool done = is_done(folder);
  if (done) fs::remove_all(folder.checkpoints(), ignored);
  // A run that was killed before its first checkpoint has no model; it starts from the beginning.
  const bool can_resume = is_folder(folder.checkpoints()) || folder.models().empty();
  if (done || !can_resume) {
    throw user_error("train", "{} {}: to train again, leave out --resume", path_text(path),
                     done ? "is finished" : "has no checkpoints to resume from");
  }
  return folder;
}

/// Returns the model with whose weights a run begins. A stopped run has a copy, so that the
/// original may be gone.
std::optional<SavedModel> start_of(const Experiment& experiment,
                                   const std::optional<RunFolder>& stopped) {
  if (experiment.weights.empty()) return {};
  if (stopped && stopped->has_model(names::kStart)) return stopped->read_model(names::kStart);
  if (is_folder(experiment.weights)) {
    return RunFolder::open(experiment.weights).read_model(names::kBaseline);
  }
  AnyModel model = read_model(experiment.weights);
  if (auto* network = std::get_if<SavedModel>(&model)) return std::move(*network);
  throw user_error("model", "model.weights = \"{}\" is a mixture: give one of its parts, like {}",
                   experiment.weights, "baseline/model.safetensors");
}

/// Notes which tensors begin with other weights. Throws Error (user) if none does.
void tell_of_start(const Experiment& experiment, const Sequential& network, const Weights& start,
                   RunObserver& observer) {
  Weights weights(network);
  const std::vector<std::string> kept = weights.take(start);
  const std::size_t all = weights.tensors().size();
  if (kept.size() == all) {
    throw user_error(
        "model",
        "no layer of {} has the name and the shapes of one of the network, like that of {}: "
        "give the weights of a network with the same layers",
        path_text(experiment.weights), kept.front());
  }
  std::string note = fmt::format("{} of {} tensors begin with the values of {}", all - kept.size(),
                                 all, path_text(experiment.weights));
  if (!kept.empty()) note += one_line(fmt::format("; new: {}", fmt::join(kept, ", ")), 200);
  observer.on_note(note);
}

/// Conducts a run: continues `stopped`, or makes a new folder. Loads the images unless they are
/// given.
Results conduct(Experiment experiment, std::optional<RunFolder> stopped, const RunOptions& options,
                RunObserver& observer, const Shared& shared) {
  const Dataset* const given = shared.data;
  require_parallel(options.parallel);
  const DataEvents events = stoppable(observer);
  const std::optional<DataRecord> before = stopped ? stopped->read_data() : std::nullopt;
  const DataPlace place =
      stopped ? data_place(*stopped, before, options.data, events) : DataPlace(options.data);
  // Groups and models are checked before a long download.
  const std::vector<std::string> class_names =
      given != nullptr ? given->class_names : list_classes(experiment.data, place);
  const Groups groups(experiment.groups, class_names, experiment.file);
  check_class_weights(experiment, class_names, experiment.file);
  // Refuses images that are too large for the network.
  declare(experiment, class_names);
  const std::optional<SavedModel> start = start_of(experiment, stopped);
  if (start) {
    const Stage first = stages(experiment.lab, experiment.groups).front();
    tell_of_start(experiment,
                  network(first.name, experiment.data.shape(), static_cast<int>(class_names.size()),
                          network_of(experiment.lab, first)),
                  start->weights, observer);
    experiment.lab.start = std::make_shared<const Start>(Start{start->weights});
  }
  std::optional<const Dataset> loaded;
  if (given == nullptr) loaded.emplace(load_data(experiment.data, place, events));
  const Dataset& data = given != nullptr ? *given : *loaded;
  require_validation(experiment.lab, data.validation.size() > 0, experiment.file);
  if (experiment.finds_groups) require_images_to_find_groups(experiment, data);
  const DataRecord record = record_of(data, experiment.data.set);
  if (before) require_same_data(*stopped, *before, record);
  const fs::path wanted = options.folder.empty() ? "runs" : options.folder;
  require_images_and_disk(experiment, lab_of(experiment, data, groups), groups,
                          stopped ? stopped->path() : wanted, options.parallel);
  std::unique_ptr<Team> own_team;
  Shared its = shared;
  if (its.team == nullptr) {
    own_team = team_of(experiment, options, data);
    its.team = own_team.get();
  }
  RunFolder folder =
      stopped ? std::move(*stopped) : RunFolder::create(options.folder, experiment, record);
  if (start) folder.write_model(names::kStart, *start);
  return Conductor(experiment, data, record, std::move(folder), options, observer, its).run();
}

}  // namespace

void stop_if_wanted(RunObserver& observer) {
  if (observer.should_stop()) throw Stopped();
}

CompileOptions stoppable_inference(int batch, Compute compute, RunObserver& observer) {
  return {.batch = batch, .compute = compute, .before_predict = [&observer] {
            stop_if_wanted(observer);
          }};
}

DataEvents stoppable(RunObserver& observer) {
  const DataEvents told = observer.loading();
  const auto with_stop = [&observer](auto tell) {
    return [&observer, tell = std::move(tell)](auto done, auto total) {
      stop_if_wanted(observer);
      if (tell) tell(done, total);
    };
  };
  return {told.say, with_stop(told.progress), with_stop(told.images), told.download};
}

const char* Stopped::what() const noexcept {
  return "the run was stopped as its observer wanted";
}

namespace {

Results begin_run(const Experiment& experiment, const RunOptions& options, RunObserver& observer,
                  const Shared& shared) {
  RunFolder::require_free(options.folder);
  return conduct(experiment, {}, options, observer, shared);
}

Results continue_run(const fs::path& stopped, const RunOptions& options, RunObserver& observer,
                     const Shared& shared) {
  RunFolder folder = open_stopped(stopped);
  const Experiment experiment = folder.read_experiment();
  RunOptions its = options;
  its.tensorboard |= is_folder(folder.path() / "tensorboard");
  return conduct(experiment, std::move(folder), its, observer, shared);
}

}  // namespace

Results run(const Experiment& experiment, const RunOptions& options, RunObserver& observer) {
  return begin_run(experiment, options, observer, {});
}

Results resume(const fs::path& stopped, const RunOptions& options, RunObserver& observer) {
  return continue_run(stopped, options, observer, {});
}

void run_or_resume(const Experiment& experiment, const RunOptions& options, RunObserver& observer,
                   const Shared& shared) {
  std::error_code ignored;
  if (!fs::exists(options.folder, ignored)) {
    begin_run(experiment, options, observer, shared);
    return;
  }
  const RunFolder folder = RunFolder::open(options.folder);
  const std::string other = difference(folder.read_experiment(), experiment);
  if (!other.empty()) {
    throw user_error("train",
                     "{} is a run of another experiment: {}: choose another folder (--run)",
                     path_text(options.folder), other);
  }
  if (is_done(folder)) {
    observer.on_note(fmt::format("{} is finished", path_text(options.folder)));
  } else {
    continue_run(options.folder, options, observer, shared);
  }
}

std::unique_ptr<Team> team_of(const Experiment& experiment, const RunOptions& options,
                              const Dataset& data) {
  if (options.cluster == nullptr) return {};
  if (options.parallel > 1) {
    throw user_error("parallel", "--parallel {} under mpirun: start as many ranks in its place",
                     options.parallel);
  }
  return std::make_unique<Team>(options.cluster->ranks(), experiment, data,
                                record_of(data, experiment.data.set));
}

Pool::Work run_beside_others(std::string name, double cost, const Experiment& experiment,
                             const RunOptions& options, const Dataset& data, Team* team) {
  RunOptions its = options;
  its.parallel = 1;
  its.cluster = nullptr;  // it has the team
  return {std::move(name), cost, [experiment, its, &data, team](RunObserver& observer, int rank) {
            run_or_resume(experiment, its, observer,
                          {.data = &data, .team = team, .rank = rank, .among_others = true});
          }};
}

namespace {

nlohmann::ordered_json to_json(const SeedRuns& seeds) {
  nlohmann::ordered_json json{{"format", 1}, {"runs", nlohmann::ordered_json::array()}};
  for (const SeedRuns::Run& run : seeds.runs) {
    nlohmann::ordered_json one{{"seed", run.seed},
                               {"folder", run.folder.filename().string()},
                               {"baseline_accuracy", run.baseline}};
    if (run.mixture) one["mixture_accuracy"] = *run.mixture;
    one["total_seconds"] = run.seconds;
    json["runs"].push_back(std::move(one));
  }
  const auto add = [&](const char* key, const Spread& spread) {
    json[key] = {{"mean", spread.mean}, {"standard_deviation", spread.deviation}};
  };
  add("baseline_accuracy", seeds.baseline);
  if (seeds.mixture) add("mixture_accuracy", *seeds.mixture);
  return json;
}

}  // namespace

SeedRuns run_seeds(const Experiment& experiment, int count, const RunOptions& options,
                   RunObserver& observer) {
  SeedRuns seeds;
  require_parallel(options.parallel);
  seeds.folder =
      options.folder.empty() ? fs::path("runs") / (experiment.name + "-seeds") : options.folder;
  std::vector<Experiment> experiments(static_cast<std::size_t>(count), experiment);
  for (std::size_t i = 0; i < experiments.size(); ++i) experiments[i].lab.seed += i;
  const auto name = [](const Experiment& one) { return fmt::format("seed-{}", one.lab.seed); };
  const auto options_of = [&](const Experiment& one) {
    RunOptions its = options;
    its.folder = seeds.folder / name(one);
    return its;
  };
  std::optional<const Dataset> data;
  std::unique_ptr<Team> team;
  std::optional<Pool> pool;
  if (options.parallel > 1 || options.cluster != nullptr) {
    data.emplace(load_data(experiment.data, DataPlace(options.data), stoppable(observer)));
    team = team_of(experiment, options, *data);
  }
  Shared shared{.data = data ? &*data : nullptr, .team = team.get()};
  const int other_ranks = team ? team->other_ranks() : 0;
  if (options.parallel + other_ranks > 1) {
    std::vector<Pool::Work> works;
    for (const Experiment& one : experiments) {
      works.push_back(run_beside_others(name(one), 1, one, options_of(one), *data, shared.team));
    }
    pool.emplace(options.parallel, other_ranks, observer).add(std::move(works));
  }
  std::vector<double> baselines;
  std::vector<double> mixtures;
  for (const Experiment& one : experiments) {
    const RunOptions its = options_of(one);
    if (pool) {
      pool->collect(name(one));
    } else {
      run_or_resume(one, its, observer, shared);
    }
    const nlohmann::ordered_json results = contents_of(RunFolder::open(its.folder))["results"];
    SeedRuns::Run run{one.lab.seed,
                      its.folder,
                      results["baseline"].value("accuracy", 0.0),
                      {},
                      results.value("total_seconds", 0.0)};
    baselines.push_back(run.baseline);
    if (results.contains("mixture")) {
      run.mixture = results["mixture"].value("accuracy", 0.0);
      mixtures.push_back(*run.mixture);
    }
    seeds.runs.push_back(std::move(run));
  }
  seeds.baseline = spread_of(baselines);
  if (!mixtures.empty()) seeds.mixture = spread_of(mixtures);
  write_file(seeds.folder / "seeds.json", json_text(to_json(seeds)));
  return seeds;
}

}  // namespace sluice
