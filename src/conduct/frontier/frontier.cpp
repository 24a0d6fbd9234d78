#include "sluice/lab/frontier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "base/timer.h"
#include "conduct/frontier/frontier_points.h"
#include "conduct/picture.h"
#include "conduct/ranks/team.h"
#include "conduct/run_or_resume.h"
#include "formats/text/json_text.h"
#include "report/text.h"
#include "run/frontier_json.h"
#include "run/run_contents.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run.h"

namespace sluice {

namespace {

namespace fs = std::filesystem;

/// One experiment of a sweep, before it gets its seed.
struct Contestant {
  Experiment experiment;
  std::string folder;  ///< in that of the seed
  std::string words;
  double width = 1;
  double work = 1;
  int epochs = 0;
  double training_flops = 0;
  std::int64_t parameters = 0;  ///< of a dense network
};

/// Estimates the time left of a sweep by the work that its runs need.
class TimeLeft {
 public:
  TimeLeft(const std::vector<Contestant>& contestants, int seeds) {
    for (const Contestant& each : contestants) work_left_ += seeds * each.training_flops;
  }

  /// A run has taken the time since the one before it.
  void done(const Contestant& contestant) {
    constexpr double kTrained = 1;  // seconds; a run that was finished before takes less
    work_left_ -= contestant.training_flops;
    const double seconds = timer_.seconds();
    timer_ = Timer();
    if (seconds < kTrained) return;
    seconds_ += seconds;
    work_done_ += contestant.training_flops;
  }

  std::string left() const {
    if (work_done_ == 0) return "";
    return "; " + duration(seconds_ * work_left_ / work_done_) + " left";
  }

 private:
  Timer timer_;
  double seconds_ = 0;
  double work_done_ = 0;
  double work_left_ = 0;
};

void set_epochs(Experiment& experiment, int epochs) {
  LabOptions::Epochs& all = experiment.lab.epochs;
  all.baseline = all.experts = all.gate = all.mixture = epochs;
}

class Sweep {
 public:
  Sweep(const Experiment& experiment, const RunOptions& options, RunObserver& observer)
      : experiment_(experiment), options_(options), observer_(observer) {
    experiment_.lab.controls = {};
    folder_ = options.folder.empty() ? fs::path("runs") / (experiment.name + "-frontier")
                                     : options.folder;
  }

  Frontier run() {
    if (experiment_.finds_groups) {
      throw user_error(
          "frontier",
          "{}: groups = \"auto\" finds other groups with each seed: declare those that "
          "`sluice groups RUN` finds",
          experiment_.file);
    }
    if (experiment_.groups.empty() && !is_routed(experiment_.lab.network)) {
      throw user_error("frontier",
                       "{} has one network and no mixture: declare [[groups]], or a layer of "
                       "experts",
                       experiment_.file);
    }
    if (!experiment_.weights.empty()) {
      throw user_error(
          "frontier", "{}: model.weights: the work of their training would not count: leave it out",
          experiment_.file);
    }
    require_parallel(options_.parallel);
    const Dataset data =
        load_data(experiment_.data, DataPlace(options_.data), stoppable(observer_));
    const FrontierImages images{images_to_choose_by(experiment_.lab, data),
                                {data.test, data.class_names}};
    const Groups groups(experiment_.groups, data.class_names, experiment_.file);
    const std::vector<Contestant> contestants = plan(data, groups);
    Frontier frontier{experiment_.name, data.name, images.test.size()};
    const auto count = contestants.size() * static_cast<std::size_t>(experiment_.frontier.seeds);
    const std::unique_ptr<Team> team = team_of(experiment_, options_, data);
    const Shared shared{.data = &data, .team = team.get()};
    const int other_ranks = team ? team->other_ranks() : 0;
    measures_latency_ = options_.parallel + other_ranks > 1;
    std::optional<Pool> pool;
    if (options_.parallel + other_ranks > 1) {
      pool.emplace(options_.parallel, other_ranks, observer_)
          .add(works(contestants, data, shared.team));
      pool->wait();  // evaluations and latencies have all threads
    }
    std::size_t number = 0;
    TimeLeft time(contestants, experiment_.frontier.seeds);
    for (int s = 0; s < experiment_.frontier.seeds; ++s) {
      const std::uint64_t seed = experiment_.lab.seed + static_cast<std::uint64_t>(s);
      frontier.seeds.push_back(seed);
      std::size_t next = 0;
      for (const Contestant& contestant : contestants) {
        observer_.on_note(fmt::format("[{} of {}] {}, {}, seed {}{}", ++number, count,
                                      contestant.words, epochs_text(contestant.epochs), seed,
                                      pool ? "" : time.left()));
        if (pool) {
          pool->collect(name_of(contestant, seed));
        } else {
          run_or_resume(with_seed(contestant, seed), options_of(contestant, seed), observer_,
                        shared);
        }
        const double most_flops = frontier.points.empty() ? 0 : frontier.points.front().flops;
        for (FrontierPoint& point : points_of(contestant, seed, groups, images, most_flops)) {
          if (s == 0) {
            frontier.points.push_back(std::move(point));
          } else {
            frontier.points[next].seeds.push_back(std::move(point.seeds.front()));
          }
          ++next;
        }
        time.done(contestant);
      }
    }
    frontier.folder = folder_;
    frontier.verdict = judge(frontier.points);
    write(frontier);
    return frontier;
  }

 private:
  static std::string epochs_text(int epochs) {
    return epochs == 1 ? "1 epoch" : fmt::format("{} epochs", epochs);
  }

  /// The mixture first, then the dense networks, each once.
  std::vector<Contestant> plan(const Dataset& data, const Groups& groups) {
    const Lab lab(experiment_.lab, data, groups);
    Contestant mixture{.experiment = experiment_, .folder = "mixture", .words = "mixture"};
    mixture.experiment.frontier = {};
    mixture.epochs =
        groups.count() > 0 ? experiment_.lab.epochs.mixture : experiment_.lab.epochs.baseline;
    for (const EarlierStage& each : experiment_.lab.before) mixture.epochs += each.epochs;
    mixture.training_flops = training_flops(lab);
    std::vector<Contestant> all{mixture};
    const Groups none({}, data.class_names, experiment_.file);
    for (const double width : experiment_.frontier.widths) {
      for (const double work : experiment_.frontier.work) {
        Contestant dense = dense_of(width, work);
        const double epoch = training_flops(Lab(dense.experiment.lab, data, none));
        dense.epochs = static_cast<int>(std::floor(work * mixture.training_flops / epoch));
        if (dense.epochs < 1) {
          observer_.on_note(fmt::format("{}: left out: an epoch needs more than the work of {}",
                                        dense.words, work));
          continue;
        }
        set_epochs(dense.experiment, dense.epochs);
        dense.training_flops = dense.epochs * epoch;
        dense.parameters =
            count_parameters(std::get<Sequential>(declare(dense.experiment, data.class_names)));
        const auto same = std::ranges::find_if(all, [&](const Contestant& other) {
          return other.epochs == dense.epochs && other.parameters == dense.parameters &&
                 other.training_flops == dense.training_flops;
        });
        if (same != all.end()) {
          observer_.on_note(dense.words + ": left out: the same as " + same->words);
          continue;
        }
        all.push_back(std::move(dense));
      }
    }
    if (all.size() > 1) return all;
    throw user_error("frontier",
                     "{}: there is no dense network to compare with: see "
                     "frontier.widths and frontier.work",
                     experiment_.file);
  }

  /// A dense network that is trained for one epoch.
  Contestant dense_of(double width, double work) const {
    Contestant dense{.experiment = experiment_, .width = width, .work = work};
    dense.folder = fmt::format("width-{}", width);
    dense.words = fmt::format("width {}", width);
    if (work != 1) {
      dense.folder += fmt::format("-work-{}", work);
      dense.words += fmt::format(", work {}", work);
    }
    Experiment& experiment = dense.experiment;
    experiment.name = experiment_.name + "-" + dense.folder;
    std::ranges::replace(experiment.name, '.', '_');
    experiment.groups.clear();
    experiment.frontier = {};
    experiment.lab.network = dense_network(experiment.lab.network);
    experiment.lab.network.width *= width;
    experiment.lab.before.clear();
    set_epochs(experiment, 1);
    return dense;
  }

  static std::string name_of(const Contestant& contestant, std::uint64_t seed) {
    return fmt::format("{}, seed {}", contestant.words, seed);
  }

  static Experiment with_seed(const Contestant& contestant, std::uint64_t seed) {
    Experiment experiment = contestant.experiment;
    experiment.lab.seed = seed;
    return experiment;
  }

  RunOptions options_of(const Contestant& contestant, std::uint64_t seed) const {
    RunOptions options = options_;
    options.folder = folder_ / fmt::format("seed-{}", seed) / contestant.folder;
    return options;
  }

  /// All runs, to train them beside each other.
  std::vector<Pool::Work> works(const std::vector<Contestant>& contestants, const Dataset& data,
                                Team* team) const {
    std::vector<Pool::Work> all;
    for (int s = 0; s < experiment_.frontier.seeds; ++s) {
      const std::uint64_t seed = experiment_.lab.seed + static_cast<std::uint64_t>(s);
      for (const Contestant& each : contestants) {
        all.push_back(run_beside_others(name_of(each, seed), each.training_flops,
                                        with_seed(each, seed), options_of(each, seed), data, team));
      }
    }
    return all;
  }

  /// Milliseconds for one image. While other runs were trained, a run could not measure it.
  double latency_of(const RunFolder& run, const Experiment& experiment, const Examples& test) {
    const bool has_groups = !experiment.groups.empty();
    if (!measures_latency_) {
      return contents_of(run)["results"][has_groups ? names::kMixture : names::kBaseline].value(
          "latency_ms", 0.0);
    }
    const CompileOptions of_one = stoppable_inference(1, experiment.lab.compute, observer_);
    const auto measured = [&](const auto& saved) {
      return latency_ms(*compile_for_inference(saved.model, saved.weights, of_one), test);
    };
    return has_groups ? measured(run.read_mixture()) : measured(run.read_model(names::kBaseline));
  }

  std::vector<FrontierPoint> points_of(const Contestant& contestant, std::uint64_t seed,
                                       const Groups& groups, const FrontierImages& images,
                                       double most_flops) {
    const Experiment& experiment = contestant.experiment;
    const RunFolder run = RunFolder::open(options_of(contestant, seed).folder);
    const CompileOptions inference = stoppable_inference(throughput_batch(images.test.shape()),
                                                         experiment.lab.compute, observer_);
    const bool has_groups = !experiment.groups.empty();
    const auto evaluated = [&] {
      if (has_groups) return mixture_points(run.read_mixture(), groups, images, inference);
      const SavedModel saved = run.read_model(names::kBaseline);
      return is_routed(experiment.lab.network) ? routed_points(saved, images, inference)
                                               : dense_points(saved, images, most_flops, inference);
    };
    const double latency = latency_of(run, experiment, images.test);
    std::vector<FrontierPoint> points = evaluated();
    for (FrontierPoint& point : points) {
      point.width = contestant.width;
      point.work = contestant.work;
      point.epochs = contestant.epochs;
      point.training_flops = contestant.training_flops;
      if (point.kind == FrontierPoint::Kind::dense) {
        point.words = contestant.words + (point.views == "one" ? "" : ", " + point.views);
      }
    }
    // It was measured for the first point alone; another view doubles it.
    points.front().seeds.front().latency_ms = latency;
    return points;
  }

  void write(const Frontier& frontier) {
    write_file(folder_ / "frontier.json", json_text(to_json(frontier)));
    write_file(folder_ / "frontier.html", frontier_html(frontier));
    picture(observer_, [&] { Figures(folder_).frontier("frontier", frontier); });
  }

  Experiment experiment_;
  RunOptions options_;
  RunObserver& observer_;
  fs::path folder_;
  bool measures_latency_ = false;  ///< because runs were trained beside each other
};

}  // namespace

Frontier run_frontier(const Experiment& experiment, const RunOptions& options,
                      RunObserver& observer) {
  return Sweep(experiment, options, observer).run();
}

}  // namespace sluice
