#include <fmt/format.h>

#include "base/files.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/report.h"

namespace sluice::cli {

namespace {

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

void explain(const ExplainOptions& options) {
  const RunFolder run = RunFolder::open(options.run);
  SavedMixture mixture = run.read_mixture();
  SavedModel baseline = run.read_model("baseline");
  require_picture_input(mixture.model.baseline.input, "mixture");
  const LabelledImages images = alone(options.image, mixture.model.baseline.input);
  const Examples examples(images, mixture.class_names);
  const Groups groups(mixture.groups, mixture.class_names, options.run);
  const Answers answers = ask(baseline.model, baseline.weights, mixture.model, mixture.weights,
                              groups, examples, {.batch = 1, .training = false});
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
  sluice explain runs/lab cat.jpg --to cat.html)");
  const auto options = std::make_shared<ExplainOptions>();
  add_run(*verb, options->run);
  verb->add_option("IMAGE", options->image, "A PNG or JPEG file")->required();
  verb->add_option("--to", options->to, "Also write it as a page")->type_name("FILE.html");
  verb->callback([options] { explain(*options); });
}

}  // namespace sluice::cli
