#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sluice/mixture.h"

namespace sluice {

// A model's description as JSON, in Keras's words:
//   {"name": "gate", "input_shape": [32, 32, 3], "layers": [
//     {"class_name": "Conv2D", "name": "conv1.1", "filters": 32, "kernel_size": 3,
//      "activation": "relu"}, ...]}
// and a mixture's as {"baseline": ..., "gate": ..., "branches": [
//     {"group": "natural", "expert": ..., "importance": ...}, ...]}.

/// Whether a model or layer can have this name in a file: printable, without '/', 1 to 128 bytes.
bool is_name(std::string_view text);

/// The nearest name that Keras can give a layer on every backend, too: of ASCII letters, digits,
/// '_', '.' and '-'. It ends in `suffix`.
std::string to_name(std::string_view text, std::string_view suffix = "");

/// Throws Error (user) for a name that no file can have.
nlohmann::ordered_json to_declaration(const Sequential& model);
nlohmann::ordered_json to_declaration(const Mixture& model);

/// Whether it is a mixture's rather than a network's.
bool declares_mixture(const nlohmann::json& json);

/// Throws Error (user), starting with `place`, where something is missing, unknown or of no
/// sensible size, the layers do not fit each other, or a mixture's parts do not fit together.
Sequential sequential_of(const nlohmann::json& json, const std::string& place);
Mixture mixture_of(const nlohmann::json& json, const std::string& place);

}  // namespace sluice
