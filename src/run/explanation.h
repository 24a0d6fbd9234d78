#pragma once

#include <nlohmann/json.hpp>

#include "sluice/lab/verdict.h"

namespace sluice {

/// What gate, baseline, expert, importances and mixture say of one example, and its picture, as
/// gallery.json has it. The answers are to the examples.
nlohmann::ordered_json explanation_json(const Answers& answers, const Examples& examples,
                                        std::size_t example);

}  // namespace sluice
