#include <fmt/format.h>

#include <numeric>

#include "cli/data_check.h"
#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "sluice/exchange.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

struct DataVerbOptions {
  std::string experiment;
  std::string data;
  std::vector<std::string> set;
  std::string out = "samples";
  std::string url = kCifar10Url;
  int count = 5;
  bool all = false;
};

Dataset load(const DataVerbOptions& options) {
  const DataOptions wanted = options.experiment.empty()
                                 ? read_data_options(options.set)
                                 : read_experiment(options.experiment, options.set).data;
  return load_data(wanted, options.data, data_events());
}

void info(const DataVerbOptions& options) {
  const Dataset data = load(options);
  print_out("\n{} ({}), images of {}\n\n{}", data.name, data.source, to_string(data.train.shape),
            distribution_text({data.train, data.class_names}, {data.test, data.class_names}));
  const DecodedPictures decoded = decoded_pictures();
  if (decoded.bytes == 0) return;
  print_out("\nDecoded pictures of all data are kept in {} ({} MB), which may be deleted\n",
            path_text(decoded.folder), decoded.bytes / 1'000'000 + 1);
}

void fetch(const DataVerbOptions& options) {
  const fs::path folder = fetch_cifar10(options.url, data_events());
  print_out("CIFAR-10 is in {}\n", folder.string());
}

/// Makes the folder before images are loaded. Throws Error (user) if that is not possible.
void make_folder_for_samples(const std::string& out) {
  try {
    fs::create_directories(out);
  } catch (const fs::filesystem_error& error) {
    throw user_error("data", "--out {}: cannot be made a folder: {}: choose another place",
                     path_text(out), error.code().message());
  }
}

void sample(const DataVerbOptions& options) {
  make_folder_for_samples(options.out);
  const Dataset data = load(options);
  const Examples test(data.test, data.class_names);
  std::vector<int> written(data.class_names.size(), 0);
  for (std::size_t i = 0; i < test.size(); ++i) {
    check_interrupt();
    const int label = test.label(i);
    if (written[label] == options.count) continue;
    const fs::path folder = fs::path(options.out) / data.class_names[label];
    fs::create_directories(folder);
    const PixelView pixels = test.pixels(i);
    const Image picture = picture_of(pixels, test.shape());
    write_png(folder / fmt::format("{}.png", written[label]++), picture.pixels, picture.height,
              picture.width);
  }
  const Figures figures(options.out);
  figures.sample_images("samples", data.name + ", test images", test);
  print_out("wrote {} test images, up to {} of each class, to {}\n",
            std::accumulate(written.begin(), written.end(), 0), options.count,
            path_text(fs::path(options.out) / "CLASS/N.png"));
  if (!figures.available()) return;
  print_out("and a sheet of test images to {}\n", path_text(fs::path(options.out) / "samples.png"));
}

}  // namespace

void add_data(CLI::App& app) {
  auto* verb = app.add_subcommand("data", "Describe data, download it, or write samples of it");
  verb->require_subcommand(0, 1);
  verb->callback([verb] {
    if (verb->get_subcommands().empty()) throw CLI::CallForHelp();
  });
  verb->footer(R"(Examples:
  sluice data info
  sluice data info experiments/lab.toml --data ~/cifar-10-batches-bin
  sluice data info --data ~/pets --set 'data.set="folder"'
  sluice data check ~/pets
  sluice data fetch
  sluice data sample --data builtin --out samples)");
  const auto options = std::make_shared<DataVerbOptions>();
  const auto add_place = [options](CLI::App& sub) {
    sub.add_option("EXPERIMENT", options->experiment,
                   "TOML file that declares the data\n(default: all of CIFAR-10)");
    add_data_option(sub, options->data);
    add_set_data_option(sub, options->set);
  };

  auto* info_verb =
      verb->add_subcommand("info", "Show the data that is found, and its distribution");
  add_place(*info_verb);
  info_verb->callback([options] { info(*options); });

  auto* check_verb = verb->add_subcommand("check", "Show every problem of a folder at once");
  check_verb->footer(
      R"(Lists broken files, classes without images, folders that are no class, images
that are there twice, uneven classes, files that are not read, and pictures of
very different sizes, and says what to do. Changes nothing. The exit code is 2
if training refuses the data as they are.)");
  check_verb->add_option("FOLDER", options->data, "Folder of pictures, CSV file or arrays")
      ->required();
  check_verb->add_flag("--all", options->all, "List all files (default: 10 of each problem)");
  check_verb->callback([options] { check_data(options->data, options->all); });

  auto* fetch_verb =
      verb->add_subcommand("fetch", "Download CIFAR-10 (170 MB) into ~/.cache/sluice");
  fetch_verb->footer("Resumes a stopped download. Checks the archive's SHA-256.");
  fetch_verb->add_option("--url", options->url, "Another URL of the official archive");
  fetch_verb->callback([options] { fetch(*options); });

  auto* sample_verb = verb->add_subcommand("sample", "Write test images as PNG files");
  add_place(*sample_verb);
  sample_verb->add_option("--out", options->out, "Folder to write to (default: samples)")
      ->type_name("DIR");
  sample_verb->add_option("--count", options->count, "Images of each class (default: 5)")
      ->check(whole_number(1, 10000));
  sample_verb->callback([options] { sample(*options); });
}

}  // namespace sluice::cli
