#include "conduct/team.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/fail.h"
#include "base/files.h"
#include "base/machine.h"
#include "conduct/experiment_lab.h"
#include "run/fit_state_json.h"
#include "sluice/version.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

// Messages are JSON values in CBOR (RFC 8949), which has a type for bytes.

void send(Ranks& ranks, int to, const Json& message) {
  const std::vector<std::uint8_t> bytes = Json::to_cbor(message);
  ranks.send(to, std::as_bytes(std::span(bytes)));
}

void send_to_others(Ranks& ranks, const Json& message) {
  for (int rank = 1; rank < ranks.count(); ++rank) send(ranks, rank, message);
}

Json parsed(const Ranks::Bytes& bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return Json::from_cbor(first, first + bytes.size());
}

template <class Value>
Json binary(std::span<const Value> values) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(values.data());
  return Json::binary({first, first + values.size_bytes()});
}

template <class Value>
void copy_binary(const Json& json, std::span<Value> to) {
  const Json::binary_t& bytes = json.get_binary();
  if (bytes.size() != to.size_bytes()) {
    throw machine_error("cluster", "a message has {} bytes in place of {}", bytes.size(),
                        to.size_bytes());
  }
  std::ranges::copy(bytes, reinterpret_cast<std::uint8_t*>(to.data()));
}

/// Observes a joint fit: all ranks begin with the state of rank 0, which alone has an observer.
class JointObserver : public FitObserver {
 public:
  JointObserver(Ranks& ranks, FitObserver* observer) : ranks_(ranks), observer_(observer) {}

  void on_begin(FitState& state) override {
    if (observer_ != nullptr) {
      observer_->on_begin(state);
      Json message{{"state", to_json(state)}, {"blocks", Json::array()}};
      for (const FitState::Block& block : state.blocks) {
        message["blocks"].push_back(binary(std::span<const float>(block.values)));
      }
      for (int rank = 1; rank < ranks_.size(); ++rank) send(ranks_, rank, message);
      return;
    }
    const Json message = parsed(ranks_.receive(0));
    const Json& blocks = message.at("blocks");
    from_json(message.at("state"), state);
    for (std::size_t i = 0; i < state.blocks.size(); ++i) {
      copy_binary(blocks.at(i), state.blocks[i].values);
    }
  }
  void on_step(const Progress& progress) override {
    if (observer_ != nullptr) observer_->on_step(progress);
  }
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    if (observer_ != nullptr) observer_->on_epoch(progress, epoch);
  }
  void on_expert_use(const std::vector<ExpertUse>& layers) override {
    if (observer_ != nullptr) observer_->on_expert_use(layers);
  }
  bool wants(const FitState& state) override {
    return observer_ != nullptr && observer_->wants(state);
  }
  void on_state(const FitState& state) override { observer_->on_state(state); }

 private:
  Ranks& ranks_;
  FitObserver* observer_;
};

/// What must be the same on all ranks, so that they compute the same bits: by name.
Json nature_of_this_process(const Experiment& experiment) {
  return {{"version of Sluice", version()},
          {"oneDNN", onednn_version()},
          {"instruction set", onednn_instructions()},
          {"convolutions", to_string(on_this_processor(experiment.lab.compute))}};
}

Json to_json(const std::vector<Groups::Group>& groups) {
  Json all = Json::array();
  for (const Groups::Group& group : groups) all.push_back({group.name, group.classes});
  return all;
}

std::vector<Groups::Group> groups_from(const Json& json) {
  std::vector<Groups::Group> groups;
  for (const Json& each : json) groups.push_back({each.at(0), each.at(1)});
  return groups;
}

constexpr LabelledImages Dataset::*kHalves[] = {&Dataset::train, &Dataset::validation,
                                                &Dataset::test};
constexpr std::size_t kImagesOfMessage = std::size_t{64} << 20;  ///< bytes

/// Sends all images, some at a time.
void send_data(Ranks& ranks, int to, const Dataset& data) {
  Json head{{"name", data.name}, {"source", data.source}, {"classes", data.class_names}};
  send(ranks, to, head);
  for (const auto half : kHalves) {
    const LabelledImages& images = data.*half;
    send(ranks, to,
         {{"shape", images.shape}, {"labels", images.labels}, {"weights", images.weights}});
    std::vector<std::uint8_t> pixels;
    for (std::size_t row = 0; row < images.size(); ++row) {
      const PixelView image = images.image(row);
      pixels.insert(pixels.end(), image.begin(), image.end());
      if (pixels.size() < kImagesOfMessage && row + 1 < images.size()) continue;
      ranks.send(to, std::as_bytes(std::span(pixels)));
      pixels.clear();
    }
  }
}

Dataset receive_data(Ranks& ranks) {
  const Json head = parsed(ranks.receive(0));
  Dataset data{.name = head.at("name"),
               .source = head.at("source"),
               .class_names = head.at("classes").get<std::vector<std::string>>()};
  for (const auto half : kHalves) {
    LabelledImages& images = data.*half;
    const Json about = parsed(ranks.receive(0));
    about.at("shape").get_to(images.shape);
    about.at("labels").get_to(images.labels);
    about.at("weights").get_to(images.weights);
    const std::size_t bytes = images.size() * static_cast<std::size_t>(element_count(images.shape));
    while (images.pixels.size() < bytes) {
      const Ranks::Bytes more = ranks.receive(0);
      const auto* first = reinterpret_cast<const std::uint8_t*>(more.data());
      images.pixels.insert(images.pixels.end(), first, first + more.size());
    }
  }
  return data;
}

/// The experiment, by way of a file, since its reader reads files.
Experiment experiment_from(const std::string& toml) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("sluice-rank-{}.toml", ::getpid());
  write_file(file, toml);
  Experiment experiment = read_experiment(file, {});
  std::filesystem::remove(file);
  return experiment;
}

/// What another rank keeps of a run.
struct Service {
  Experiment experiment;
  Dataset data;
};

/// Answers rank 0's "run": finds the images, or receives them.
Service begin_service(Ranks& ranks, const Json& run) {
  Service service;
  ranks.use_first(run.at("ranks"));
  service.experiment = experiment_from(run.at("experiment"));
  Json answer{{"nature", nature_of_this_process(service.experiment)}, {"images", nullptr}};
  const std::string place = run.at("place");
  try {
    if (place.empty()) throw user_error("data", "the images have no place");
    service.data = load_data(service.experiment.data, DataPlace(place), {});
    answer["images"] = record_of(service.data, service.experiment.data.set).all;
  } catch (const Error&) {  // rank 0 sends them
  }
  const bool has_images = !answer["images"].is_null();
  send(ranks, 0, answer);
  if (!has_images) service.data = receive_data(ranks);
  return service;
}

void serve_stage(Ranks& ranks, const Service& service, const Json& wanted) {
  if (ranks.rank() >= ranks.size()) return;
  Experiment experiment = service.experiment;
  experiment.groups = groups_from(wanted.at("groups"));
  const Groups groups(experiment.groups, service.data.class_names, "rank 0");
  const Lab lab = lab_of(experiment, service.data, groups, &ranks);
  const std::string name = wanted.at("stage");
  const std::vector<Stage> stages = lab.stages();
  const auto stage = std::ranges::find(stages, name, &Stage::name);
  if (stage == stages.end()) throw machine_error("cluster", "there is no stage {}", name);
  JointObserver observer(ranks, nullptr);
  if (stage->kind != StageKind::mixture) {
    lab.train(stage->of_epochs(wanted.at("epochs")), observer);
    return;
  }
  std::vector<TrainedModel> parts;
  for (const Stage& each : stages) {
    if (each.kind != StageKind::baseline && each.kind != StageKind::expert &&
        each.kind != StageKind::gate) {
      continue;
    }
    const auto model = std::get<Sequential>(lab.model_of(each));
    TrainedModel& part = parts.emplace_back(TrainedModel{model, Weights(model), {}, {}});
    copy_binary(wanted.at("parts").at(parts.size() - 1), part.weights.values());
  }
  const std::vector<TrainedModel> experts(parts.begin() + 1, parts.end() - 1);
  lab.train_mixture(parts.front(), experts, parts.back(), observer);
}

}  // namespace

Team::Team(Ranks& ranks, const Experiment& experiment, const Dataset& data,
           const DataRecord& record)
    : ranks_(ranks), shards_(experiment.lab.shards) {
  if (shards_ == 1) {
    throw user_error("cluster",
                     "train.shards = 1 leaves nothing to divide among {} ranks: give --set "
                     "train.shards={}",
                     ranks.count(), std::bit_ceil(static_cast<unsigned>(ranks.count())));
  }
  ranks.use_first(
      std::min(static_cast<int>(std::bit_floor(static_cast<unsigned>(ranks.count()))), shards_));
  send_to_others(ranks, {{"do", "run"},
                         {"experiment", to_toml(experiment)},
                         {"place", data.place},
                         {"ranks", ranks.size()}});
  const Json own = nature_of_this_process(experiment);
  std::vector<int> without_images;
  for (int rank = 1; rank < ranks.count(); ++rank) {
    const Json answer = parsed(ranks.wait_for_message(rank));
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
  for (const int rank : without_images) send_data(ranks, rank, data);
}

std::string Team::words() const {
  std::set<std::string> hosts;
  for (int rank = 0; rank < ranks_.size(); ++rank) hosts.insert(ranks_.host(rank));
  std::string text =
      fmt::format("{} ranks on {} train together: each computes {} of {} shards", ranks_.size(),
                  fmt::join(hosts, ", "), shards_ / ranks_.size(), shards_);
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

TrainedModel Team::train(const Lab& lab, const Stage& stage,
                         const std::vector<Groups::Group>& groups, FitObserver& observer) {
  send_to_others(ranks_, {{"do", "stage"},
                          {"stage", stage.name},
                          {"epochs", stage.epochs},
                          {"groups", to_json(groups)}});
  JointObserver joint(ranks_, &observer);
  return lab.train(stage, joint);
}

TrainedMixture Team::train_mixture(const Lab& lab, const Stage& stage,
                                   const std::vector<Groups::Group>& groups,
                                   const TrainedModel& baseline,
                                   const std::vector<TrainedModel>& experts,
                                   const TrainedModel& gate, FitObserver& observer) {
  Json parts{binary(baseline.weights.values())};
  for (const TrainedModel& expert : experts) parts.push_back(binary(expert.weights.values()));
  parts.push_back(binary(gate.weights.values()));
  send_to_others(ranks_, {{"do", "stage"},
                          {"stage", stage.name},
                          {"epochs", stage.epochs},
                          {"groups", to_json(groups)},
                          {"parts", std::move(parts)}});
  JointObserver joint(ranks_, &observer);
  return lab.train_mixture(baseline, experts, gate, joint);
}

void serve(Ranks& ranks) {
  std::optional<Service> service;
  for (;;) {
    const Json message = parsed(ranks.wait_for_message(0));
    const std::string wanted = message.at("do");
    if (wanted == "end") return;
    if (wanted == "run") {
      service = begin_service(ranks, message);
    } else {
      serve_stage(ranks, *service, message);
    }
  }
}

void end_service(Ranks& ranks) {
  send_to_others(ranks, {{"do", "end"}});
}

}  // namespace sluice
