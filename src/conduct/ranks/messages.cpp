#include "conduct/ranks/messages.h"

#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "run/fit_state_json.h"

namespace sluice::messages {

namespace {

constexpr LabelledImages Dataset::*kHalves[] = {&Dataset::train, &Dataset::validation,
                                                &Dataset::test};
constexpr std::size_t kPixelsOfMessage = std::size_t{64} << 20;

}  // namespace

void send(Ranks& ranks, int to, const Json& message) {
  const std::vector<std::uint8_t> bytes = Json::to_cbor(message);
  ranks.send(to, std::as_bytes(std::span(bytes)));
}

Json parsed(const Ranks::Bytes& bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return Json::from_cbor(first, first + bytes.size());
}

Json of_state(const FitState& state) {
  Json json{{"numbers", to_json(state)}, {"names", Json::array()}, {"blocks", Json::array()}};
  for (const FitState::Block& block : state.blocks) {
    json["names"].push_back(block.name);
    json["blocks"].push_back(binary(std::span<const float>(block.values)));
  }
  return json;
}

void read_state(const Json& json, FitState& state) {
  from_json(json.at("numbers"), state);
  const Json& blocks = json.at("blocks");
  for (std::size_t i = 0; i < state.blocks.size(); ++i) {
    copy_binary(blocks.at(i), state.blocks[i].values);
  }
}

FitState new_state(const Json& json, std::vector<std::vector<float>>& memory) {
  FitState state;
  const Json& blocks = json.at("blocks");
  memory.resize(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    memory[i].resize(blocks[i].get_binary().size() / sizeof(float));
    state.blocks.push_back({json.at("names").at(i), memory[i]});
  }
  read_state(json, state);
  return state;
}

Json of(const Progress& p) {
  return {p.epoch,   p.epochs,           p.step,        p.steps, p.loss, p.accuracy,
          p.seconds, p.seconds_per_step, p.seconds_left};
}

Progress progress_from(const Json& json) {
  return {json.at(0), json.at(1), json.at(2), json.at(3), json.at(4),
          json.at(5), json.at(6), json.at(7), json.at(8)};
}

Json of(const Epoch& epoch) {
  return {epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy, epoch.seconds};
}

Epoch epoch_from(const Json& json) {
  return {json.at(0), json.at(1), json.at(2), json.at(3), json.at(4)};
}

Json of(const std::vector<ExpertUse>& layers) {
  Json all = Json::array();
  for (const ExpertUse& layer : layers) {
    Json counts = Json::array();
    for (const ExpertUse::Count& count : layer.counts) counts.push_back({count.taken, count.right});
    all.push_back({layer.layer, layer.experts, std::move(counts), layer.examples, layer.mixed});
  }
  return all;
}

std::vector<ExpertUse> expert_use_from(const Json& json) {
  std::vector<ExpertUse> layers;
  for (const Json& each : json) {
    ExpertUse& layer =
        layers.emplace_back(ExpertUse{each.at(0), each.at(1), {}, each.at(3), each.at(4)});
    for (const Json& count : each.at(2)) layer.counts.push_back({count.at(0), count.at(1)});
  }
  return layers;
}

Json of(const std::vector<LayerProfile>& profile) {
  Json all = Json::array();
  for (const LayerProfile& p : profile) {
    all.push_back({p.model, p.layer, p.algorithm, p.flops, p.forward_images, p.backward_images,
                   p.forward_seconds, p.weights_seconds, p.data_seconds});
  }
  return all;
}

std::vector<LayerProfile> profile_from(const Json& json) {
  std::vector<LayerProfile> profile;
  for (const Json& p : json) {
    profile.push_back(
        {p.at(0), p.at(1), p.at(2), p.at(3), p.at(4), p.at(5), p.at(6), p.at(7), p.at(8)});
  }
  return profile;
}

Json of(const Stage& stage) {
  return {static_cast<int>(stage.kind),
          stage.group,
          stage.name,
          stage.title,
          stage.random,
          stage.epochs,
          stage.control,
          stage.control_words,
          stage.epochs_before,
          stage.epochs_after};
}

Stage stage_from(const Json& json) {
  return {static_cast<StageKind>(json.at(0).get<int>()),
          json.at(1),
          json.at(2),
          json.at(3),
          json.at(4),
          json.at(5),
          json.at(6),
          json.at(7),
          json.at(8),
          json.at(9)};
}

Json of(const Experiment& experiment) {
  Json groups = Json::array();
  for (const Groups::Group& group : experiment.groups) {
    groups.push_back({group.name, group.classes, group.also});
  }
  return {{"toml", to_toml(experiment)}, {"groups", std::move(groups)}};
}

/// By way of a file, since the reader of experiments reads files.
Experiment experiment_from(const Json& json) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("sluice-rank-{}.toml", ::getpid());
  write_file(file, json.at("toml").get<std::string>());
  Experiment experiment = read_experiment(file, {});
  std::filesystem::remove(file);
  experiment.groups.clear();
  for (const Json& group : json.at("groups")) {
    experiment.groups.push_back({group.at(0), group.at(1), group.at(2)});
  }
  return experiment;
}

void send_data(Ranks& ranks, int to, const Dataset& data) {
  send(ranks, to, {{"name", data.name}, {"source", data.source}, {"classes", data.class_names}});
  for (const auto half : kHalves) {
    const LabelledImages& images = data.*half;
    send(ranks, to,
         {{"shape", images.shape}, {"labels", images.labels}, {"weights", images.weights}});
    std::vector<std::uint8_t> pixels;
    for (std::size_t row = 0; row < images.size(); ++row) {
      const PixelView image = images.image(row);
      pixels.insert(pixels.end(), image.begin(), image.end());
      if (pixels.size() < kPixelsOfMessage && row + 1 < images.size()) continue;
      ranks.send(to, std::as_bytes(std::span(pixels)));
      pixels.clear();
    }
  }
}

Dataset receive_data(Ranks& ranks, int from) {
  const Json head = parsed(ranks.receive(from));
  Dataset data{.name = head.at("name"),
               .source = head.at("source"),
               .class_names = head.at("classes").get<std::vector<std::string>>()};
  for (const auto half : kHalves) {
    LabelledImages& images = data.*half;
    const Json about = parsed(ranks.receive(from));
    about.at("shape").get_to(images.shape);
    about.at("labels").get_to(images.labels);
    about.at("weights").get_to(images.weights);
    const std::size_t bytes = images.size() * static_cast<std::size_t>(element_count(images.shape));
    while (images.pixels.size() < bytes) {
      const Ranks::Bytes more = ranks.receive(from);
      const auto* first = reinterpret_cast<const std::uint8_t*>(more.data());
      images.pixels.insert(images.pixels.end(), first, first + more.size());
    }
  }
  return data;
}

}  // namespace sluice::messages
