#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sluice/mixture.h"

namespace sluice {

// JSON declaration of a model, with Keras's names:
//   {"name": "gate", "input_shape": [32, 32, 3], "layers": [
//     {"class_name": "Conv2D", "name": "conv1.1", "filters": 32, "kernel_size": 3,
//      "activation": "relu"}, ...], "frozen": ["conv1.1"]}
// The experts of a MixtureOfExperts are objects like this one, without an input_shape.
// and of a mixture: {"baseline": ..., "gate": ..., "branches": [
//     {"group": "natural", "expert": ..., "importance": ...}, ...]}.

/// Whether a model or layer can have this name in a file: printable, without '/', 1 to 128 bytes.
bool is_name(std::string_view text);

/// Returns the most similar name that Keras allows for a layer on every backend: ASCII letters,
/// digits, '_', '.' and '-'. It ends in `suffix`.
std::string to_name(std::string_view text, std::string_view suffix = "");

/// Throws Error (user) for a name that a file cannot have.
nlohmann::ordered_json to_declaration(const Sequential& model);
nlohmann::ordered_json to_declaration(const Mixture& model);

/// Whether a declaration is of a mixture, not of a network.
bool declares_mixture(const nlohmann::json& json);

/// Throws Error (user), starting with `place`, if a key is missing, unknown or out of range, if
/// layers do not fit together, or if a mixture's parts do not.
Sequential sequential_of(const nlohmann::json& json, const std::string& place);
Mixture mixture_of(const nlohmann::json& json, const std::string& place);

}  // namespace sluice
