#include "run/checkpoints.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/fail.h"
#include "base/files.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/text.h"
#include "formats/safetensors/safetensors.h"
#include "formats/text/json_text.h"
#include "run/fit_state_json.h"
#include "sluice/version.h"

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

const std::string& entry(const Safetensors& file, const char* key, const std::string& place) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) throw user_error("checkpoint", "{} has no {}", place, key);
  return found->second;
}

/// Whether a block is written. For a finished stage weights and state are enough, because it is not
/// trained again, unless the next one goes on with its optimizer's state.
bool is_kept(const FitState::Block& block, const FitState& state, bool finished) {
  return !finished || state.goes_on || block.name.starts_with("weights/") ||
         block.name.starts_with("state/");
}

/// Entries of a file's metadata, in the order of its digest.
constexpr const char* kEntries[] = {"state", "experiment", "data", "machines"};

using Entries = std::map<std::string, std::string>;

template <class BytesOfBlock>
std::string digest_of(const Entries& entries, const FitState& state, bool finished,
                      const BytesOfBlock& bytes_of_block) {
  Digest digest(Digest::Kind::sha256);
  for (const char* key : kEntries) digest.add(entries.at(key));
  for (const FitState::Block& block : state.blocks) {
    if (is_kept(block, state, finished)) digest.add(bytes_of_block(block));
  }
  return digest.digits();
}

/// A complete checkpoint that fits the state.
struct Whole {
  Safetensors file;
  std::string place;
  Entries entries;
  Json numbers;
  bool finished;
};

/// Reads a checkpoint. Throws Error (user) if the file is incomplete or damaged.
Whole read_whole(const fs::path& path, const FitState& state) {
  const std::string place = path_text(path);
  Safetensors file = Safetensors::read(path);
  Entries entries;
  for (const char* key : kEntries) entries[key] = entry(file, key, place);
  Json numbers = parse_json(entries["state"], 4, "checkpoint", place);
  const bool finished = numbers.is_object() && numbers.value("finished", Json()) == Json(true);
  const auto bytes_of_block = [&](const FitState::Block& block) {
    const Safetensors::Tensor* tensor = file.find(block.name);
    if (tensor == nullptr || tensor->end - tensor->begin != block.values.size_bytes()) {
      throw user_error("checkpoint", "{} has no {} of {} values", place, block.name,
                       block.values.size());
    }
    return file.bytes(*tensor);
  };
  const std::string sum = digest_of(entries, state, finished, bytes_of_block);
  if (sum != entry(file, "sha256", place)) {
    throw user_error("checkpoint", "{} is damaged: its checksum does not match", place);
  }
  return {std::move(file), place, std::move(entries), std::move(numbers), finished};
}

void restore(const Whole& whole, FitState& state) {
  try {
    FitState restored = state;
    from_json(whole.numbers, restored);
    if (restored.epoch < 1 || restored.step < 0) {
      throw user_error("checkpoint", "{} is of epoch {}, step {}", whole.place, restored.epoch,
                       restored.step);
    }
    state = std::move(restored);
  } catch (const Json::exception& error) {
    throw user_error("checkpoint", "{} has another kind of state: {}", whole.place, error.what());
  }
  for (const FitState::Block& block : state.blocks) {
    if (is_kept(block, state, whole.finished)) {
      whole.file.copy(*whole.file.find(block.name), block.values);
    }
  }
}

/// Error for a complete checkpoint of another run.
class OtherRun : public Error {
 public:
  using Error::Error;
};

void require_setting(const Entries& entries, const Checkpoints::Setting& setting,
                     const std::string& run) {
  const std::string other = difference(entries.at("experiment"), setting.experiment);
  if (!other.empty()) {
    throw OtherRun(
        Fault::user, "checkpoint",
        fmt::format("{} cannot be resumed with another experiment: {}: change it back, or "
                    "train a new run",
                    run, other));
  }
  if (entries.at("data") != setting.data) {
    throw OtherRun(Fault::user, "checkpoint",
                   fmt::format("{} was trained on other images: give the same --data", run));
  }
}

constexpr const char* kThen = "\n";  ///< separates the descriptions of a stage's machines

std::vector<std::string> split_machines(std::string_view text) {
  std::vector<std::string> machines;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    const std::size_t end = text.find(kThen, at);
    machines.emplace_back(text.substr(at, end - at));
    at = end == std::string_view::npos ? end : end + 1;
  }
  return machines;
}

}  // namespace

Checkpoints::Setting Checkpoints::setting(const Experiment& experiment, const DataRecord& data) {
  return {settings_text(experiment), data.all,
          [cpu = this_machine().cpu, compute = on_this_processor(experiment.lab.compute),
           shards = experiment.lab.shards] {
            const std::string work = shards > 1 ? fmt::format("{} shards", shards)
                                                : fmt::format("{} threads", thread_count());
            return fmt::format("{}, {}, {} convolutions, oneDNN {} with {}", cpu, work,
                               to_string(compute), onednn_version(), onednn_instructions());
          }};
}

Checkpoints::Checkpoints(const fs::path& folder, Setting setting)
    : folder_((make_folder(folder), folder)),
      setting_(std::move(setting)),
      lock_(folder / "lock", "checkpoint") {
  const FileLock::Result lock = lock_.take();
  if (lock == FileLock::Result::held) {
    throw user_error("checkpoint",
                     "{} is being trained by another program: wait for it, or stop it",
                     path_text(folder.parent_path()));
  }
  locked_ = lock == FileLock::Result::taken;
}

std::vector<fs::path> Checkpoints::of_stage(const std::string& stage) const {
  std::vector<fs::path> files = list_folder(folder_, "checkpoint");
  std::erase_if(files, [&](const fs::path& file) {
    return file.extension() != kEnding || file.stem().stem() != stage;
  });
  return files;
}

void Checkpoints::write(const std::string& stage, const FitState& state) {
  std::vector<NamedTensor> tensors;
  for (const FitState::Block& block : state.blocks) {
    if (!is_kept(block, state, state.finished)) continue;
    tensors.push_back({block.name, {static_cast<std::int64_t>(block.values.size())}, block.values});
  }
  std::vector<std::string> machines = this->machines(stage);
  const std::string machine = setting_.machine();
  if (machines.empty() || machines.back() != machine) machines.push_back(machine);
  keep_machines(stage, machines);
  Entries entries{{"state", to_json(state).dump()},
                  {"experiment", setting_.experiment},
                  {"data", setting_.data},
                  {"machines", fmt::format("{}", fmt::join(machines, kThen))}};
  entries["sha256"] = digest_of(entries, state, state.finished, [](const FitState::Block& block) {
    return bytes_of(std::span<const float>(block.values));
  });
  const fs::path file =
      folder_ / fmt::format("{}.{:05}-{:07}{}", stage, state.epoch, state.step, kEnding);
  write_safetensors(file, tensors, entries);
  std::vector<fs::path> files = of_stage(stage);
  const std::size_t kept = state.finished ? 1 : kKept;
  for (std::size_t i = 0; i + kept < files.size(); ++i) {
    std::error_code ignored;  // an extra file does no harm
    fs::remove(files[i], ignored);
  }
}

bool Checkpoints::read(const std::string& stage, FitState& state, const Say& say) {
  const std::vector<fs::path> files = of_stage(stage);
  for (auto path = files.rbegin(); path != files.rend(); ++path) {
    std::vector<std::string> machines;
    try {
      const Whole whole = read_whole(*path, state);
      require_setting(whole.entries, setting_, path_text(folder_.parent_path()));
      restore(whole, state);
      machines = split_machines(whole.entries.at("machines"));
      keep_machines(stage, machines);
    } catch (const OtherRun&) {
      throw;
    } catch (const Error& error) {
      say(fmt::format("ignored {}", untagged(error)));
      continue;
    }
    const std::string machine = setting_.machine();
    if (machines.back() != machine) {
      say(fmt::format("{} with {}, {} with {}: rounding differs",
                      state.finished ? "trained" : "begun", machines.back(),
                      state.finished ? "the rest is trained" : "resumed", machine));
    }
    return true;
  }
  return false;
}

std::vector<std::string> Checkpoints::machines(const std::string& stage) {
  const std::lock_guard lock(mutex_);
  return machines_[stage];
}

void Checkpoints::keep_machines(const std::string& stage,
                                const std::vector<std::string>& machines) {
  const std::lock_guard lock(mutex_);
  machines_[stage] = machines;
}

void Checkpoints::remove() {
  lock_.release();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace sluice
