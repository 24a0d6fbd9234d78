#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

struct ExplainOptions {
  std::string run;
  std::string image;
  std::string to;
};

/// A picture as the only one of a data set; its label is not known.
LabelledImages alone(const std::string& file, const Shape& shape) {
  Image image = resized(read_image(file), static_cast<int>(shape[0]), static_cast<int>(shape[1]));
  return {shape, std::move(image.pixels), {0}};
}

/// A mixture, and the baseline from before joint training where its run has one.
struct Explained {
  SavedMixture mixture;
  std::optional<SavedModel> frozen;
};

Explained open(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !is_folder(path)) {
    AnyModel model = read_model(path);
    if (auto* mixture = std::get_if<SavedMixture>(&model)) return {std::move(*mixture), {}};
    throw user_error("explain",
                     "{0} is one network, which has no gate to explain: `sluice predict {0} "
                     "PICTURE` gives its answer",
                     path_text(path));
  }
  const RunFolder run = RunFolder::open(path);
  Explained explained{run.read_mixture(), {}};
  if (run.has_model("baseline")) explained.frozen = run.read_model("baseline");
  return explained;
}

void explain(const ExplainOptions& options) {
  auto [mixture, frozen] = open(options.run);
  if (!options.to.empty()) require_replaceable(options.to, kPage);
  if (!options.to.empty() && !frozen) {
    throw user_error("explain",
                     "{} has no baseline from before joint training, which a page compares with: "
                     "leave out --to",
                     path_text(options.run));
  }
  require_picture_input(mixture.model.baseline.input, "mixture");
  const LabelledImages images = alone(options.image, mixture.model.baseline.input);
  const Examples examples(images, mixture.class_names);
  const Groups groups(mixture.groups, mixture.class_names, options.run);
  Answers answers = ask(frozen ? frozen->model : mixture.model.baseline,
                        frozen ? frozen->weights : mixture.weights.baseline, mixture.model,
                        mixture.weights, groups, examples, {.batch = 1});
  if (!frozen) answers.frozen.clear();
  print_out("{}\n{}", options.image, explanation_text(answers, 0));
  if (options.to.empty()) return;
  write_file(options.to, explanation_html(answers, examples, 0, options.image));
  print_out("\npage: {}\n", options.to);
}

}  // namespace

void add_explain(CLI::App& app) {
  auto* verb = app.add_subcommand("explain", "Show how the mixture comes to its answer");
  verb->footer(R"(The way of one picture through gate, baseline, expert and importances.

Examples:
  sluice explain runs/lab samples/cat/0.png
  sluice explain runs/lab cat.jpg --to cat.html
  sluice explain runs/lab/mixture/model.safetensors cat.jpg)");
  const auto options = std::make_shared<ExplainOptions>();
  verb->add_option("RUN", options->run, "Folder of a run, or a mixture's model.safetensors")
      ->required();
  verb->add_option("IMAGE", options->image, "A PNG or JPEG file")->required();
  verb->add_option("--to", options->to, "Also write it as a page")->type_name("FILE.html");
  verb->callback([options] { explain(*options); });
}

}  // namespace sluice::cli
