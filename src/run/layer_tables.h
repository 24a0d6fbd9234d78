#pragma once

#include <toml++/toml.h>
#include <functional>
#include <string>
#include <vector>

#include "sluice/layers.h"

namespace sluice {

/// Throws an error for a line of the file, with the text behind its place.
using RefuseLine = std::function<void(int line, const std::string& text)>;

/// Reads [[model.layers]] of an experiment: tables with class_name, Keras's settings of the layer
/// with Keras's defaults, and if wanted name and inputs. Calls `refuse`, which must throw, for a
/// mistake. Does not check whether layers fit together.
Sequential read_layer_tables(const toml::array& list, const RefuseLine& refuse);

/// Returns these layers as [[model.layers]], with all settings.
std::string layer_tables_text(const Sequential& model);

/// Returns each layer in one line, to compare experiments.
std::vector<std::string> layer_lines(const Sequential& model);

}  // namespace sluice
