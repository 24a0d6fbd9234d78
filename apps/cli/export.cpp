#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/outputs.h"
#include "cli/verbs.h"
#include "sluice/error.h"
#include "sluice/exchange.h"
#include "sluice/lab/run_folder.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string from;
  std::string format = "keras";
  std::vector<std::string> models;
  std::string to;
  bool sparse = false;
};

/// Models of a run, by name. Importance models have no folder, because they are trained in the
/// mixture.
class Models {
 public:
  explicit Models(const RunFolder& run) : run_(run), names_(run.models()) {
    if (!run.has_model(names::kMixture)) return;
    mixture_.emplace(run.read_mixture());
    for (const Mixture::Branch& branch : mixture_->model.branches) {
      names_.insert(names_.end() - 1, branch.importance.name);
    }
  }

  const std::vector<std::string>& names() const { return names_; }

  AnyModel read(const std::string& name) const {
    if (name == names::kMixture) return *mixture_;
    for (std::size_t g = 0; mixture_ && g < mixture_->model.branches.size(); ++g) {
      const Sequential& importance = mixture_->model.branches[g].importance;
      if (importance.name != name) continue;
      return SavedModel{importance, mixture_->weights.importances[g], mixture_->class_names,
                        mixture_->resize};
    }
    return run_.read_model(name);
  }

 private:
  const RunFolder& run_;
  std::vector<std::string> names_;
  std::optional<SavedMixture> mixture_;
};

/// Writes the file of a model, and of a mixture a sparse one beside it if that is asked for.
fs::path export_model(const AnyModel& model, const std::string& name, const ExportOptions& options,
                      const fs::path& folder) {
  check_interrupt();
  const auto written = [&](const std::string& suffix, const auto& write) {
    const fs::path file = folder / (name + suffix + "." + options.format);
    write(file);
    print_out("{:<50} {:>8.1f} MB\n", path_text(file), double(fs::file_size(file)) / 1e6);
    flush_out();
    return file;
  };
  fs::path file = written("", [&](const fs::path& to) {
    if (options.format == "onnx") return export_onnx(to, model);
    options.format == "h5" ? export_keras_h5(to, model) : export_keras(to, model);
  });
  if (options.sparse && std::holds_alternative<SavedMixture>(model)) {
    file = written("-sparse",
                   [&](const fs::path& to) { export_onnx(to, model, OnnxExperts::chosen); });
  }
  return file;
}

std::vector<std::string> chosen(const std::vector<std::string>& wanted,
                                const std::vector<std::string>& names, const std::string& run) {
  if (names.empty()) throw user_error("export", "{} has no trained model yet", run);
  for (const std::string& name : wanted) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw user_error("export", "{} has no model '{}': it has {}", run, one_line(name),
                     fmt::join(names, ", "));
  }
  return wanted.empty() ? names : wanted;
}

void export_models(const ExportOptions& options) {
  if (options.sparse && options.format != "onnx") {
    throw user_error("export",
                     "--sparse is for --format onnx: Keras's layers cannot skip an expert");
  }
  fs::path last;
  OutputNames outputs;
  const bool is_file = fs::is_regular_file(options.from);
  fs::path folder = options.to;
  if (folder.empty()) {
    folder = is_file ? fs::path(options.from).parent_path() : fs::path(options.from) / "export";
  }
  const auto make_folder = [&] {
    std::error_code error;
    if (!folder.empty()) fs::create_directories(folder, error);
    if (error) throw user_error("export", "{}: {}", path_text(folder), error.message());
  };
  if (is_file) {
    if (!options.models.empty())
      throw user_error("export", "--model chooses from a run; this is one file");
    const AnyModel model = read_model(options.from);
    const auto* network = std::get_if<SavedModel>(&model);
    make_folder();
    last = export_model(model, network != nullptr ? network->model.name : names::kMixture, options,
                        folder);
    outputs.add(model);
  } else {
    const RunFolder run = RunFolder::open(options.from);
    const Models models(run);
    const std::vector<std::string> names = chosen(options.models, models.names(), options.from);
    make_folder();
    for (const std::string& name : names) {
      const AnyModel model = models.read(name);
      last = export_model(model, name, options, folder);
      outputs.add(model);
    }
  }
  print_out("\n");
  outputs.print();
  print_out("input: (batch, height, width, channels), R, G, B or grey, divided by 255\n");
  const char* open = options.format == "onnx" ? "onnxruntime.InferenceSession"
                     : options.format == "h5" ? "tf_keras.models.load_model"
                                              : "keras.saving.load_model";
  print_out("open:  {}(\"{}\")\n", open, path_text(last));
}

}  // namespace

void add_export(CLI::App& app) {
  auto* verb = app.add_subcommand("export", "Write models that Keras or ONNX Runtime opens");
  verb->footer(R"(Writes every model of the run, or those of --model: baseline, experts, gate,
importance models and mixture. The mixture has only standard layers; it
computes all experts, because these layers cannot skip one. keras is for
Keras 3; h5 is for Keras 2 (tf_keras, or TensorFlow up to 2.15). --sparse also
writes mixture-sparse.onnx, which computes only the chosen expert by If.

Examples:
  sluice export runs/lab                      RUN/export/*.keras
  sluice export runs/lab --format h5          RUN/export/*.h5
  sluice export runs/lab --format onnx --sparse --to models
  sluice export runs/lab --model mixture --model gate
  sluice export runs/lab/gate/model.safetensors --to .)");
  const auto options = std::make_shared<ExportOptions>();
  verb->add_option("RUN", options->from, "Folder of a run, or one model.safetensors")->required();
  verb->add_option("--format", options->format, "keras, h5 or onnx (default: keras)")
      ->check(one_of({"keras", "h5", "onnx"}))
      ->type_name("FORMAT");
  verb->add_option("--model", options->models, "Only this one; repeatable")
      ->type_name("NAME")
      ->take_all();
  verb->add_flag("--sparse", options->sparse,
                 "Write an ONNX mixture that computes only the\nchosen expert, too");
  verb->add_option("--to", options->to, "Folder to write to (default: RUN/export)")
      ->type_name("DIR");
  verb->callback([options] { export_models(*options); });
}

}  // namespace sluice::cli
