#pragma once

#include <nlohmann/json.hpp>

#include "sluice/lab/verdict.h"

namespace sluice {

/// Returns an entry of gallery.json: the outputs of gate, baseline, expert, importances and mixture
/// for one example, and its picture. The answers are those for the examples.
nlohmann::ordered_json explanation_json(const Answers& answers, const Examples& examples,
                                        std::size_t example);

}  // namespace sluice
