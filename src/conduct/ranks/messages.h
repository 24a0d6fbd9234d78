#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/fail.h"
#include "cluster/ranks.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/run_folder.h"

namespace sluice {

/// Messages between ranks: JSON values in CBOR (RFC 8949), which has a type for bytes.
namespace messages {

using Json = nlohmann::json;

void send(Ranks& ranks, int to, const Json& message);
Json parsed(const Ranks::Bytes& bytes);

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

/// A fit's state with its blocks. A state from from_json() has the values in `memory`.
Json of_state(const FitState& state);
void read_state(const Json& json, FitState& state);
FitState new_state(const Json& json, std::vector<std::vector<float>>& memory);

Json of(const Progress& progress);
Progress progress_from(const Json& json);
Json of(const Epoch& epoch);
Epoch epoch_from(const Json& json);
Json of(const std::vector<ExpertUse>& layers);
std::vector<ExpertUse> expert_use_from(const Json& json);
Json of(const std::vector<LayerProfile>& profile);
std::vector<LayerProfile> profile_from(const Json& json);
Json of(const Stage& stage);
Stage stage_from(const Json& json);
/// The experiment with its groups, found or declared.
Json of(const Experiment& experiment);
Experiment experiment_from(const Json& json);

/// Sends and receives all images, some at a time.
void send_data(Ranks& ranks, int to, const Dataset& data);
Dataset receive_data(Ranks& ranks, int from);

}  // namespace messages

}  // namespace sluice
