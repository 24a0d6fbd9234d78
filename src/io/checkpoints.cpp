#include "io/checkpoints.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/fail.h"
#include "base/files.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/image_digest.h"
#include "io/json_text.h"
#include "io/safetensors.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kEnding = ".safetensors";
constexpr std::size_t kKept = 2;

template <class Value>
std::string_view bytes_of(std::span<const Value> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

Json to_json(const FitState& state) {
  Json epochs = Json::array();
  for (const Epoch& e : state.history.epochs) {
    epochs.push_back({e.loss, e.accuracy, e.val_loss, e.val_accuracy, e.seconds});
  }
  return {{"finished", state.finished},
          {"epoch", state.epoch},
          {"step", state.step},
          {"loss", state.loss},
          {"right", state.right},
          {"seconds", state.seconds},
          {"history",
           {{"epochs", std::move(epochs)},
            {"restored_epoch", state.history.restored_epoch},
            {"seconds", state.history.seconds},
            {"cpu_seconds", state.history.cpu_seconds},
            {"images", state.history.images},
            {"images_per_second", state.history.images_per_second}}},
          {"stopping",
           {{"best", state.stopping.best},
            {"best_epoch", state.stopping.best_epoch},
            {"wait", state.stopping.wait}}}};
}

/// All but the blocks.
void from_json(const Json& json, FitState& state) {
  json.at("finished").get_to(state.finished);
  json.at("epoch").get_to(state.epoch);
  json.at("step").get_to(state.step);
  json.at("loss").get_to(state.loss);
  json.at("right").get_to(state.right);
  json.at("seconds").get_to(state.seconds);
  const Json& history = json.at("history");
  state.history.epochs.clear();
  for (const Json& e : history.at("epochs")) {
    state.history.epochs.push_back({e.at(0), e.at(1), e.at(2), e.at(3), e.at(4)});
  }
  history.at("restored_epoch").get_to(state.history.restored_epoch);
  history.at("seconds").get_to(state.history.seconds);
  history.at("cpu_seconds").get_to(state.history.cpu_seconds);
  history.at("images").get_to(state.history.images);
  history.at("images_per_second").get_to(state.history.images_per_second);
  const Json& stopping = json.at("stopping");
  stopping.at("best").get_to(state.stopping.best);
  stopping.at("best_epoch").get_to(state.stopping.best_epoch);
  stopping.at("wait").get_to(state.stopping.wait);
}

const std::string& entry(const Safetensors& file, const char* key, const std::string& place) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) throw user_error("checkpoint", "{} has no {}", place, key);
  return found->second;
}

/// Of all that a file has.
template <class BytesOfBlock>
std::string digest_of(const std::string& numbers, const Checkpoints::Setting& setting,
                      const FitState& state, const BytesOfBlock& bytes_of_block) {
  Digest digest(Digest::Kind::sha256);
  for (const std::string& part : {numbers, setting.data, setting.machine}) digest.add(part);
  for (const FitState::Block& block : state.blocks) digest.add(bytes_of_block(block));
  return digest.digits();
}

Checkpoints::Setting setting_of(const Safetensors& file, const std::string& place) {
  return {entry(file, "data", place), entry(file, "machine", place)};
}

/// A file that has all that the state needs, as it was written. Throws Error if it has not.
Safetensors read_whole(const fs::path& path, const FitState& state) {
  const std::string place = path_text(path);
  Safetensors file = Safetensors::read(path);
  const auto bytes_of_block = [&](const FitState::Block& block) {
    const Safetensors::Tensor* tensor = file.find(block.name);
    if (tensor == nullptr || tensor->end - tensor->begin != block.values.size_bytes()) {
      throw user_error("checkpoint", "{} has no {} of {} values", place, block.name,
                       block.values.size());
    }
    return file.bytes(*tensor);
  };
  const std::string sum =
      digest_of(entry(file, "state", place), setting_of(file, place), state, bytes_of_block);
  if (sum != entry(file, "sha256", place)) {
    throw user_error("checkpoint", "{} does not have its check sum", place);
  }
  return file;
}

void restore(const Safetensors& file, const std::string& place, FitState& state) {
  try {
    FitState restored = state;
    from_json(parse_json(entry(file, "state", place), 4, "checkpoint", place), restored);
    if (restored.epoch < 1 || restored.step < 0) {
      throw user_error("checkpoint", "{} is of epoch {}, step {}", place, restored.epoch,
                       restored.step);
    }
    state = std::move(restored);
  } catch (const Json::exception& error) {
    throw user_error("checkpoint", "{} has another kind of state: {}", place, error.what());
  }
  for (const FitState::Block& block : state.blocks) file.copy(*file.find(block.name), block.values);
}

}  // namespace

Checkpoints::Setting Checkpoints::setting(const Dataset& data, Compute compute) {
  Digest digest(Digest::Kind::sha256);
  for (const LabelledImages* images : {&data.train, &data.test}) add_images(*images, digest);
  return {digest.digits(), fmt::format("{}, {} threads, {} convolutions", this_machine().cpu,
                                       thread_count(), to_string(compute))};
}

Checkpoints::Checkpoints(const fs::path& folder, Setting setting)
    : folder_((make_folder(folder), folder)),
      setting_(std::move(setting)),
      lock_(folder / "lock", "checkpoint") {
  if (!lock_.take()) {
    throw user_error("checkpoint",
                     "{} is being trained by another program: wait for it, or stop it",
                     path_text(folder.parent_path()));
  }
}

std::vector<fs::path> Checkpoints::of_stage(const std::string& stage) const {
  std::vector<fs::path> files = list_folder(folder_, "checkpoint");
  std::erase_if(files, [&](const fs::path& file) {
    return file.extension() != kEnding || file.stem().stem() != stage;
  });
  return files;
}

void Checkpoints::write(const std::string& stage, const FitState& state) const {
  std::vector<NamedTensor> tensors;
  for (const FitState::Block& block : state.blocks) {
    tensors.push_back({block.name, {static_cast<std::int64_t>(block.values.size())}, block.values});
  }
  const std::string numbers = to_json(state).dump();
  const std::string sum = digest_of(numbers, setting_, state, [](const FitState::Block& block) {
    return bytes_of(std::span<const float>(block.values));
  });
  const fs::path file =
      folder_ / fmt::format("{}.{:05}-{:07}{}", stage, state.epoch, state.step, kEnding);
  write_safetensors(file, tensors,
                    {{"state", numbers},
                     {"sha256", sum},
                     {"data", setting_.data},
                     {"machine", setting_.machine}});
  std::vector<fs::path> files = of_stage(stage);
  for (std::size_t i = 0; i + kKept < files.size(); ++i) {
    std::error_code ignored;  // one too many is no harm
    fs::remove(files[i], ignored);
  }
}

bool Checkpoints::read(const std::string& stage, FitState& state, const Say& say) const {
  const std::vector<fs::path> files = of_stage(stage);
  for (auto path = files.rbegin(); path != files.rend(); ++path) {
    Setting setting;
    try {
      const Safetensors file = read_whole(*path, state);
      setting = setting_of(file, path_text(*path));
      if (setting.data == setting_.data) restore(file, path_text(*path), state);
    } catch (const Error& error) {
      say(fmt::format("passed over {}", untagged(error)));
      continue;
    }
    if (setting.data != setting_.data) {
      throw user_error("checkpoint", "{} was trained on other images: give the same --data",
                       path_text(folder_.parent_path()));
    }
    if (!state.finished && setting.machine != setting_.machine) {
      say(fmt::format("begun with {}, goes on with {}: rounding will differ", setting.machine,
                      setting_.machine));
    }
    return true;
  }
  return false;
}

void Checkpoints::remove() {
  fs::remove_all(folder_);
}

}  // namespace sluice
