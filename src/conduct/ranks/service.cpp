#include "conduct/ranks/service.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/machine.h"
#include "base/parallel.h"
#include "base/timer.h"
#include "conduct/experiment_lab.h"
#include "conduct/ranks/joint_observer.h"
#include "conduct/ranks/messages.h"
#include "run/fit_state_json.h"
#include "sluice/version.h"

namespace sluice {

using messages::Json;

namespace {

/// Thrown where rank 0 wants a fit to stop.
struct StopWanted {};

/// Observes a fit for rank 0, which hears of it by messages.
class RemoteObserver : public FitObserver {
 public:
  explicit RemoteObserver(Ranks& ranks) : ranks_(ranks) {}

  void on_begin(FitState& state) override {
    messages::send(ranks_, 0, {{"event", "begin"}, {"state", messages::of_state(state)}});
    messages::read_state(messages::parsed(ranks_.receive(0)), state);
  }
  void on_step(const Progress& progress) override {
    constexpr double kOften = 0.1;  // seconds
    if (since_step_.seconds() < kOften) return;
    since_step_ = Timer();
    messages::send(ranks_, 0, {{"event", "step"}, {"progress", messages::of(progress)}});
  }
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    messages::send(
        ranks_, 0,
        {{"event", "epoch"}, {"progress", messages::of(progress)}, {"epoch", messages::of(epoch)}});
  }
  void on_expert_use(const std::vector<ExpertUse>& layers) override {
    messages::send(ranks_, 0, {{"event", "use"}, {"layers", messages::of(layers)}});
  }
  /// After some time, because a state is as long as a few steps to send; at the end; and when the
  /// fit stops.
  bool wants(const FitState& state) override {
    constexpr double kStateSeconds = 10;
    while (ranks_.has_message(0)) {
      stops_ = stops_ || messages::parsed(ranks_.receive(0)).at("do") == "stop";
    }
    return stops_ || state.finished || since_state_.seconds() > kStateSeconds;
  }
  void on_state(const FitState& state) override {
    messages::send(ranks_, 0, {{"event", "state"}, {"state", messages::of_state(state)}});
    since_state_ = Timer();
    if (stops_) throw StopWanted();
  }

 private:
  Ranks& ranks_;
  Timer since_step_;
  Timer since_state_;
  bool stops_ = false;
};

/// Tells rank 0 again and again that this process runs, while it has nothing else to tell.
class Heartbeat {
 public:
  explicit Heartbeat(Ranks& ranks)
      : thread_([&ranks, this](const std::stop_token& stop) {
          constexpr std::chrono::milliseconds kOften(500);
          std::unique_lock lock(mutex_);
          while (!stopped_.wait_for(lock, stop, kOften, [&] { return stop.stop_requested(); })) {
            try {
              messages::send(ranks, 0, {{"event", "alive"}});
            } catch (const Error&) {  // the fit meets it, too
              return;
            }
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

/// Finds the images that rank 0 names, or receives them.
Dataset data_for(Ranks& ranks, const Json& greeting) {
  const Experiment experiment = messages::experiment_from(greeting.at("experiment"));
  ranks.use_first(greeting.at("ranks"));
  Json answer{{"nature", nature_of_this_process(experiment)}, {"images", nullptr}};
  const std::string place = greeting.at("place");
  Dataset data;
  try {
    if (place.empty()) throw user_error("data", "the images have no place");
    data = load_data(experiment.data, DataPlace(place), {});
    answer["images"] = record_of(data, experiment.data.set).all;
  } catch (const Error&) {  // rank 0 sends them
  }
  const bool has_images = !answer["images"].is_null();
  messages::send(ranks, 0, answer);
  return has_images ? data : messages::receive_data(ranks, 0);
}

/// A stage that rank 0 wants, with what it needs.
class Wanted {
 public:
  Wanted(const Json& request, const Dataset& data, Communicator* ranks)
      : experiment_(messages::experiment_from(request.at("experiment"))),
        groups_(experiment_.groups, data.class_names, "rank 0"),
        lab_(lab_of(experiment_, data, groups_, ranks)),
        stage_(messages::stage_from(request.at("stage"))) {
    if (stage_.kind != StageKind::mixture) return;
    const Mixture model = lab_.declare();
    std::vector<const Sequential*> parts{&model.baseline};
    for (const Mixture::Branch& branch : model.branches) parts.push_back(&branch.expert);
    parts.push_back(&model.gate);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      TrainedModel& part = parts_.emplace_back(TrainedModel{*parts[i], Weights(*parts[i]), {}, {}});
      messages::copy_binary(request.at("parts").at(i), part.weights.values());
    }
  }

  /// Calls done(parts' weights, history, profile).
  template <class Done>
  void train(FitObserver& observer, const Done& done) const {
    if (stage_.kind != StageKind::mixture) {
      const TrainedModel trained = lab_.train(stage_, observer);
      return done(std::vector<const Weights*>{&trained.weights}, trained.history, trained.profile);
    }
    const std::vector<TrainedModel> experts(parts_.begin() + 1, parts_.end() - 1);
    const TrainedMixture trained =
        lab_.train_mixture(parts_.front(), experts, parts_.back(), observer);
    const std::vector<const Weights*> parts = trained.weights.parts();
    done(parts, trained.history, trained.profile);
  }

 private:
  Experiment experiment_;
  Groups groups_;
  Lab lab_;
  Stage stage_;
  std::vector<TrainedModel> parts_;
};

void train_alone(Ranks& ranks, const Wanted& wanted) {
  const Heartbeat heartbeat(ranks);
  RemoteObserver observer(ranks);
  try {
    wanted.train(observer, [&](const std::vector<const Weights*>& parts, const History& history,
                               const std::vector<LayerProfile>& profile) {
      FitState state;
      state.history = history;
      Json event{{"event", "done"},
                 {"weights", Json::array()},
                 {"state", to_json(state)},
                 {"profile", messages::of(profile)}};
      for (const Weights* part : parts) {
        event["weights"].push_back(messages::binary(part->values()));
      }
      messages::send(ranks, 0, event);
    });
  } catch (const StopWanted&) {
    messages::send(ranks, 0, {{"event", "stopped"}});
  }
}

}  // namespace

nlohmann::json nature_of_this_process(const Experiment& experiment) {
  Json nature{{"version", version()},
              {"oneDNN", onednn_version()},
              {"instruction set", onednn_instructions()},
              {"convolutions", to_string(on_this_processor(experiment.lab.compute))}};
  if (experiment.lab.shards == 1) nature["OpenMP threads:"] = std::to_string(settle_thread_count());
  return nature;
}

void serve(Ranks& ranks) {
  Dataset data;
  for (;;) {
    const Json message = messages::parsed(ranks.wait_for_message(0));
    const std::string what = message.at("do");
    if (what == "end") return;
    if (what == "begin") {
      data = data_for(ranks, message);
    } else if (what == "join") {
      JointObserver observer(ranks, nullptr);
      Wanted(message, data, &ranks).train(observer, [](const auto&...) {});
    } else if (what == "train") {
      train_alone(ranks, Wanted(message, data, nullptr));
    }
  }
}

void end_service(Ranks& ranks) {
  for (int rank = 1; rank < ranks.count(); ++rank) messages::send(ranks, rank, {{"do", "end"}});
}

}  // namespace sluice
