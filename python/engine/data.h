#pragma once

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/arrays.h"

namespace sluice::python {

/// Images and their classes: uint8 (count, height, width, channels), and int32 (count).
using Half = std::pair<Array<std::uint8_t>, Array<std::int32_t>>;

/// A loaded data set: name, source, class names; images to train, test and validate on.
using Loaded = std::tuple<std::string, std::string, std::vector<std::string>, Half, Half, Half>;

/// Loads data as load_data(). `options` are those of read_data_options(). Calls say(line) with what
/// there is to tell; progress(done, total) while pictures are read; and download(folder) if there
/// is no copy of CIFAR-10: it makes the folder, or raises MachineError.
Loaded load(const std::vector<std::string>& options, const std::string& place,
            const nanobind::callable& say, const nanobind::callable& progress,
            const nanobind::callable& download);

}  // namespace sluice::python
