#include "conduct/ranks/team.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <set>
#include <thread>

#include "base/timer.h"
#include "conduct/experiment_lab.h"
#include "conduct/ranks/joint_observer.h"
#include "conduct/ranks/messages.h"
#include "conduct/ranks/service.h"
#include "run/fit_state_json.h"
#include "sluice/lab/run.h"

namespace sluice {

using messages::Json;

namespace {

Json request(const char* what, const Experiment& experiment, const Stage& stage,
             const std::vector<const TrainedModel*>& parts) {
  Json json{{"do", what},
            {"experiment", messages::of(experiment)},
            {"stage", messages::of(stage)},
            {"parts", Json::array()}};
  for (const TrainedModel* part : parts) {
    json["parts"].push_back(messages::binary(part->weights.values()));
  }
  return json;
}

std::vector<TrainedModel> experts_of(const std::vector<const TrainedModel*>& parts) {
  std::vector<TrainedModel> experts;
  for (std::size_t i = 1; i + 1 < parts.size(); ++i) experts.push_back(*parts[i]);
  return experts;
}

/// What a rank has trained.
struct Outcome {
  Json weights;  ///< values of each part
  History history;
  std::vector<LayerProfile> profile;
};

/// Passes on what a rank reports of a fit, until that ends.
Outcome follow(Ranks& ranks, int rank, FitObserver& observer,
               const std::function<bool()>& should_stop) {
  bool told = false;
  for (;;) {
    const Timer silence;
    while (!ranks.has_message(rank)) {
      if (!told && should_stop()) {
        messages::send(ranks, rank, {{"do", "stop"}});
        told = true;
      }
      ranks.require_answer(rank, silence.seconds());
      constexpr std::chrono::milliseconds kRest(10);
      std::this_thread::sleep_for(kRest);
    }
    const Json event = messages::parsed(ranks.receive(rank));
    const std::string what = event.at("event");
    if (what == "begin") {
      std::vector<std::vector<float>> memory;
      FitState state = messages::new_state(event.at("state"), memory);
      observer.on_begin(state);
      messages::send(ranks, rank, messages::of_state(state));
    } else if (what == "step") {
      observer.on_step(messages::progress_from(event.at("progress")));
    } else if (what == "epoch") {
      observer.on_epoch(messages::progress_from(event.at("progress")),
                        messages::epoch_from(event.at("epoch")));
    } else if (what == "use") {
      observer.on_expert_use(messages::expert_use_from(event.at("layers")));
    } else if (what == "state") {
      std::vector<std::vector<float>> memory;
      const FitState state = messages::new_state(event.at("state"), memory);
      observer.on_state(state);
    } else if (what == "done") {
      FitState state;
      from_json(event.at("state"), state);
      return {event.at("weights"), state.history, messages::profile_from(event.at("profile"))};
    } else if (what == "stopped") {
      throw Stopped();
    }
  }
}

}  // namespace

Team::Team(Ranks& ranks, const Experiment& experiment, const Dataset& data,
           const DataRecord& record)
    : ranks_(ranks), data_(data), shards_(experiment.lab.shards) {
  for (const auto& [has, key] : {std::pair{!experiment.weights.empty(), "model.weights"},
                                 {!experiment.lab.before.empty(), "train.before"}}) {
    if (!has || trains_jointly()) continue;
    throw user_error("cluster",
                     "{}: the other ranks do not have the weights: train without mpirun, or set "
                     "train.shards",
                     key);
  }
  if (trains_jointly()) {
    const auto most = static_cast<int>(std::bit_floor(static_cast<unsigned>(ranks.count())));
    ranks.use_first(std::min(most, shards_));
  }
  const Json greeting{{"do", "begin"},
                      {"experiment", messages::of(experiment)},
                      {"place", data.place},
                      {"ranks", ranks.size()}};
  for (int rank = 1; rank < ranks.count(); ++rank) messages::send(ranks, rank, greeting);
  const Json own = nature_of_this_process(experiment);
  std::vector<int> without_images;
  for (int rank = 1; rank < ranks.count(); ++rank) {
    const Json answer = messages::parsed(ranks.wait_for_message(rank));
    for (const auto& [what, value] : own.items()) {
      const Json& other = answer.at("nature").at(what);
      if (other == value) continue;
      throw user_error("cluster", "{} has {} {}, and {} has {}: they must be the same",
                       ranks.name(rank), what, other.get<std::string>(), ranks.name(0),
                       value.get<std::string>());
    }
    const Json& images = answer.at("images");
    if (images.is_null()) {
      without_images.push_back(rank);
    } else if (images != record.all) {
      throw user_error("cluster",
                       "{} has other images in {} than {}: make them the same, or move them away "
                       "there, and it gets those of rank 0",
                       ranks.name(rank), data.place, ranks.name(0));
    }
  }
  for (const int rank : without_images) messages::send_data(ranks, rank, data);
}

std::string Team::words() const {
  std::set<std::string> hosts;
  for (int rank = 0; rank < ranks_.size(); ++rank) hosts.insert(ranks_.host(rank));
  std::string text = fmt::format("{} ranks on {} train ", ranks_.size(), fmt::join(hosts, ", "));
  if (!trains_jointly()) return text + "networks beside each other";
  text += fmt::format("together: each computes {} of {} shards", shards_ / ranks_.size(), shards_);
  const int idle = ranks_.count() - ranks_.size();
  if (idle > 0) text += fmt::format("; idle: {}", idle);
  return text;
}

ClusterFigures Team::figures() const {
  ClusterFigures figures{.shards = shards_,
                         .bytes_sent = ranks_.bytes_sent(),
                         .seconds_waited = ranks_.seconds_waited()};
  for (int rank = 0; rank < ranks_.size(); ++rank) figures.hosts.push_back(ranks_.host(rank));
  return figures;
}

TrainedModel Team::train_jointly(const Experiment& experiment, const Stage& stage,
                                 FitObserver& observer) {
  const Json wanted = request("join", experiment, stage, {});
  for (int rank = 1; rank < ranks_.size(); ++rank) messages::send(ranks_, rank, wanted);
  const Groups groups(experiment.groups, data_.class_names, experiment.file);
  JointObserver joint(ranks_, &observer);
  return lab_of(experiment, data_, groups, &ranks_).train(stage, joint);
}

TrainedMixture Team::train_jointly(const Experiment& experiment, const Stage& stage,
                                   const std::vector<const TrainedModel*>& parts,
                                   FitObserver& observer) {
  const Json wanted = request("join", experiment, stage, parts);
  for (int rank = 1; rank < ranks_.size(); ++rank) messages::send(ranks_, rank, wanted);
  const Groups groups(experiment.groups, data_.class_names, experiment.file);
  JointObserver joint(ranks_, &observer);
  return lab_of(experiment, data_, groups, &ranks_)
      .train_mixture(*parts.front(), experts_of(parts), *parts.back(), joint);
}

TrainedModel Team::train_on(int rank, const Experiment& experiment, const Stage& stage,
                            FitObserver& observer, const std::function<bool()>& should_stop) {
  messages::send(ranks_, rank, request("train", experiment, stage, {}));
  const Outcome outcome = follow(ranks_, rank, observer, should_stop);
  const Groups groups(experiment.groups, data_.class_names, experiment.file);
  const Lab lab = lab_of(experiment, data_, groups);
  const auto model = std::get<Sequential>(lab.model_of(stage));
  TrainedModel trained{model, Weights(model), outcome.history, outcome.profile};
  messages::copy_binary(outcome.weights.at(0), trained.weights.values());
  lab.calibrate(stage, trained);
  return trained;
}

TrainedMixture Team::train_on(int rank, const Experiment& experiment, const Stage& stage,
                              const std::vector<const TrainedModel*>& parts, FitObserver& observer,
                              const std::function<bool()>& should_stop) {
  messages::send(ranks_, rank, request("train", experiment, stage, parts));
  const Outcome outcome = follow(ranks_, rank, observer, should_stop);
  const Groups groups(experiment.groups, data_.class_names, experiment.file);
  const Mixture model = lab_of(experiment, data_, groups).declare();
  TrainedMixture trained{model, MixtureWeights(model), outcome.history, outcome.profile};
  const std::vector<Weights*> all = trained.weights.parts();
  for (std::size_t i = 0; i < all.size(); ++i) {
    messages::copy_binary(outcome.weights.at(i), all[i]->values());
  }
  return trained;
}

}  // namespace sluice
