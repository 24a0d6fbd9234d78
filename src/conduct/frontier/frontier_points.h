#pragma once

#include <vector>

#include "sluice/lab/frontier.h"
#include "sluice/lab/run_folder.h"
#include "sluice/network.h"

namespace sluice {

/// The images of a frontier.
struct FrontierImages {
  Examples validation;
  Examples test;
};

// Each function returns the points of one trained network, each with one seed: its ways to answer.
// Names, epochs and training work are left to the caller.

/// A dense network with one view of an image, with its mirror image beside it, and with that for as
/// many images, the least sure ones, as `most_flops` for an image allow in the mean.
std::vector<FrontierPoint> dense_points(const SavedModel& saved, const FrontierImages& images,
                                        double most_flops, const CompileOptions& options);

/// A routed network. If it ends in a cascade, also the cascade with other shares, and with images
/// chosen at random. If not, also with the mirror image beside the least sure ones, and with
/// experts that are chosen for another image, or if it has none but mixes kernels, with one mix for
/// all.
std::vector<FrontierPoint> routed_points(const SavedModel& saved, const FrontierImages& images,
                                         const CompileOptions& options);

/// The lab's mixture, also with a group chosen at random.
std::vector<FrontierPoint> mixture_points(const SavedMixture& saved, const Groups& groups,
                                          const FrontierImages& images,
                                          const CompileOptions& options);

}  // namespace sluice
