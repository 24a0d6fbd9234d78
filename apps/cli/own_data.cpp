#include "cli/own_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <span>

#include "cli/fail.h"
#include "cli/progress.h"
#include "sluice/files.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

DataOptions own_options() {
  return {.set = "folder", .skip_broken = true};
}

int median(std::vector<int>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Returns every `step`th file of a half.
std::vector<fs::path> files_of(const OwnData& own, const LabelledImages& half, std::size_t step) {
  std::vector<fs::path> files;
  for (std::size_t i = 0; i < half.files.size(); i += step) {
    files.push_back(fs::path(own.data.source) / half.files[i]);
  }
  return files;
}

void measure(OwnData& own, const std::vector<fs::path>& files) {
  constexpr std::size_t kAtOnce = 256;  // a signal ends the verb between two parts
  for (std::size_t first = 0; first < files.size(); first += kAtOnce) {
    check_interrupt();
    for (const PictureHeader& header : read_picture_headers(
             std::span(files).subspan(first, std::min(kAtOnce, files.size() - first)))) {
      if (header.height > 0) own.pictures.push_back(header);
    }
  }
  if (own.pictures.empty()) return;
  std::vector<int> heights;
  std::vector<int> widths;
  for (const PictureHeader& header : own.pictures) {
    heights.push_back(header.height);
    widths.push_back(header.width);
  }
  own.height = median(heights);
  own.width = median(widths);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Returns the data's name as that of a file and a run.
std::string plain_name(const Dataset& data) {
  std::string name = fs::path(data.name).stem().string().substr(0, 64);
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') c = '-';
  }
  return name.empty() ? "experiment" : name;
}

std::string groups_text(const Dataset& data) {
  std::vector<std::string> names;
  for (const std::string& name : data.class_names) names.push_back(quoted(printable(name)));
  const std::size_t half = (names.size() + 1) / 2;
  const auto list = [&](std::size_t begin, std::size_t end) {
    return fmt::to_string(fmt::join(names.begin() + static_cast<std::ptrdiff_t>(begin),
                                    names.begin() + static_cast<std::ptrdiff_t>(end), ", "));
  };
  return fmt::format(
      "# A mixture of experts has two or more groups of similar classes. To train one, divide the\n"
      "# classes and remove the first # of each line; then set train.epochs for all of its "
      "stages.\n"
      "# [[groups]]\n# name = \"first\"\n# classes = [{}]\n#\n# [[groups]]\n# name = \"second\"\n"
      "# classes = [{}]\n",
      list(0, half), list(half, names.size()));
}

/// Returns the side of the network's input for pictures of this size.
int input_side(const OwnData& own) {
  const int side = std::min(own.height, own.width);
  return side < 48 ? 32 : side < 128 ? 64 : 96;
}

std::string experiment_text(const OwnData& own, const std::string& file) {
  const Dataset& data = own.data;
  const Examples train(data.train, data.class_names);
  const bool is_balanced = balance_in_words(train) == "balanced";
  const int side = input_side(own);
  const bool is_square = own.height * 10 <= own.width * 11 && own.width * 10 <= own.height * 11;
  const bool is_small = train.size() < 5000;
  constexpr std::size_t kSteps = 3000;
  constexpr std::size_t kBatch = 32;
  const std::size_t epochs = std::clamp<std::size_t>(kSteps * kBatch / train.size(), 10, 100);
  std::string text = fmt::format(
      "# Experiment for {0}, by `sluice init`; experiments/lab.toml explains every key.\n"
      "#   sluice train {1} --data {2}\n"
      "# Found: {3} classes; {4} images to train, {5} to test, {6} to validate.\n\n"
      "name = {7}\nseed = 0\n\n[data]\nset = \"folder\"\n",
      path_text(own.place), file, argument_text(own.place), data.class_names.size(), train.size(),
      data.test.size(), data.validation.size(), quoted(plain_name(data)));
  if (!own.pictures.empty()) {
    text += fmt::format("# The pictures have about {} x {} pixels.\n", own.width, own.height);
  }
  text += fmt::format("image_size = {}\n", side);
  if (!is_square) {
    text += "# The middle of each picture, in its own proportions.\nresize = \"crop\"\n";
  }
  if (data.train.shape[2] == 1) text += "channels = 1\n";
  text += "# Share of each class that tests, if there is no test half.\ntest_split = 0.2\n";
  if (data.left_out.contains("broken")) {
    text += "# Broken pictures are left out; `sluice data check` names them.\nskip_broken = true\n";
  }
  const bool fits_lab = side == 32 && !is_small;
  text += fmt::format(
      "\n[model]\n# {}\nnetwork = \"{}\"\n\n[train]\n# About {} steps of {} images.\n"
      "epochs = {}\nbatch_size = {}\nlearning_rate = 1e-3\n",
      fits_lab ? "The lab's network: 2 million parameters for images of 32x32."
               : "A small network for images of any size.",
      fits_lab ? "lab" : "resnet20", epochs * train.size() / kBatch, kBatch, epochs, kBatch);
  if (!is_balanced) {
    text += fmt::format("# Classes are {}.\nclass_weight = \"balanced\"\n",
                        printable(balance_in_words(train)));
  }
  if (is_small) {
    text +=
        "\n# Few images: changed at random, they are more. Remove the mirror if left and right "
        "matter.\n[train.augment]\nmirror = \"random\"\nshift = 2\n";
  }
  return text + "\n" + groups_text(data);
}

}  // namespace

OwnData load_own(const std::string& place) {
  constexpr std::size_t kMost = 100;
  OwnData own{.place = place};
  own.data = load_data(own_options(), place, data_events());
  const std::size_t step = std::max<std::size_t>(1, own.data.train.files.size() / kMost);
  measure(own, files_of(own, own.data.train, step));
  return own;
}

OwnData check_own(const std::string& place, std::vector<DataProblem>& problems) {
  OwnData own{.place = place};
  DataEvents events = data_events();
  events.problem = [&](const DataProblem& problem) { problems.push_back(problem); };
  own.data = load_data(own_options(), place, events);
  std::vector<fs::path> files;
  for (const LabelledImages* half : {&own.data.train, &own.data.validation, &own.data.test}) {
    const std::vector<fs::path> its = files_of(own, *half, 1);
    files.insert(files.end(), its.begin(), its.end());
  }
  measure(own, files);
  return own;
}

std::string write_experiment_for(const OwnData& own) {
  const std::string file = plain_name(own.data) + ".toml";
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    throw user_error("init",
                     "{0} exists: train it with `sluice train {0} --data {1}`, or rename it", file,
                     argument_text(own.place));
  }
  write_file(file, experiment_text(own, file));
  return file;
}

}  // namespace sluice::cli
