#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/network.h"

namespace sluice::python {

/// Whether a mixture was worth it, as Python gets it.
struct Judgement {
  std::string sentence;
  std::string improved;  ///< to_string(Finding)
  std::string worth_it;
  std::string figures;  ///< JSON, as "verdict" in results.json
};

/// Compares a mixture with the baseline and other networks, by name, on images. Throws Error (user)
/// if they do not fit.
Judgement judge(Network& baseline, Network& mixture,
                const std::vector<std::pair<std::string, Network*>>& controls, const Images& images,
                const Labels& labels, const std::vector<std::string>& class_names,
                const NamedGroups& groups);

/// Divides the classes by what a network takes images for that it was not trained on: `count`
/// groups, or for 0 as many as cut the tree best. Returns the groups and a text about them.
std::pair<NamedGroups, std::string> find_groups(Network& network, const Images& images,
                                                const Labels& labels,
                                                const std::vector<std::string>& class_names,
                                                int count);

/// Returns a text about how a mixture answers an image, (1, height, width, channels), beside the
/// baseline.
std::string explain(Network& baseline, Network& mixture, const Images& image,
                    const std::vector<std::string>& class_names, const NamedGroups& groups);

}  // namespace sluice::python
