#pragma once

#include <string>
#include <vector>

#include "sluice/dataset.h"

namespace sluice::cli {

/// Data of the user's own, as loaded at 32x32, and what an experiment must know of its pictures.
struct OwnData {
  std::string place;  ///< as the user gave it
  Dataset data;
  int height = 32;  ///< median of the pictures
  int width = 32;
  std::vector<PictureHeader> pictures{};  ///< that were measured; empty if there are no files
};

/// Loads the data at a place, as data.set = "folder" does; broken pictures are reported and left
/// out. Measures up to 100 pictures, evenly over the training half. Throws Error as load_data()
/// does.
OwnData load_own(const std::string& place);

/// Does the same, but measures all pictures and collects all problems.
OwnData check_own(const std::string& place, std::vector<DataProblem>& problems);

/// Writes an experiment for the data to NAME.toml of the current folder, and returns that name.
/// Throws Error (user) if the file exists.
std::string write_experiment_for(const OwnData& own);

}  // namespace sluice::cli
