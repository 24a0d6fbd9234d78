#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/outputs.h"
#include "cli/verbs.h"
#include "sluice/error.h"
#include "sluice/exchange.h"
#include "sluice/files.h"
#include "sluice/lab/run_folder.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

struct ImportOptions {
  std::vector<std::string> files;
  std::vector<std::string> parts;
  std::vector<std::string> classes;
  std::string input;
  std::vector<double> mean;
  std::vector<double> deviation;
  std::string experiment;
  std::string run;
};

/// Returns the lab's experiment, for files without classes and groups.
Experiment lab_experiment() {
  Experiment lab;
  lab.name = "imported";
  lab.groups = {{"artificial", {"airplane", "automobile", "ship", "truck"}},
                {"natural", {"bird", "cat", "deer", "dog", "frog", "horse"}}};
  return lab;
}

/// One argument: FILE, or NAME=FILE.
struct Source {
  std::string name;  ///< empty if the user gave none
  fs::path file;

  explicit Source(const std::string& argument) : file(argument) {
    const std::size_t at = argument.find('=');
    if (at == std::string::npos || fs::exists(file)) return;
    name = argument.substr(0, at);
    file = argument.substr(at + 1);
  }

  /// Returns "gate" for gate.keras and for gate.weights.h5.
  std::string stem() const {
    const fs::path stem = file.stem();
    return stem.extension() == ".weights" ? stem.stem().string() : stem.string();
  }
};

std::map<std::string, std::string> parse_parts(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> parts;
  for (const std::string& text : texts) {
    const std::size_t at = text.find('=');
    if (at == 0 || at == std::string::npos || at + 1 == text.size()) {
      throw user_error("import", "--part {}: write PART=NAME, such as gate=sequential_1", text);
    }
    parts[text.substr(0, at)] = text.substr(at + 1);
  }
  return parts;
}

/// What the options say of the pictures that the models were trained on.
std::optional<PixelInput> pixels_of(const ImportOptions& options) {
  if (options.input.empty() && options.mean.empty() && options.deviation.empty()) return {};
  const auto finite = [](double value) { return std::isfinite(value); };
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  if (!std::ranges::all_of(options.mean, finite)) {
    throw user_error("import", "--mean: write numbers, such as 0.49,0.48,0.45");
  }
  if (!std::ranges::all_of(options.deviation, positive)) {
    throw user_error("import", "--deviation: write numbers above 0, such as 0.25,0.24,0.26");
  }
  return PixelInput{options.input == "-1..1" ? -1.0 : 0.0, options.input == "0..255" ? 255.0 : 1.0,
                    options.mean, options.deviation};
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

AnyModel import_file(const fs::path& file, const KerasOptions& keras) {
  if (kind_of_file(file, "import").of != FileKind::Of::onnx) return import_keras(file, keras);
  return import_onnx(file, {.input = keras.input, .pixels = keras.pixels, .say = keras.say});
}

bool is_mixture(const AnyModel& model) {
  return std::holds_alternative<SavedMixture>(model);
}

/// Imports files of other programs into one run.
class Import {
 public:
  explicit Import(const ImportOptions& options)
      : options_(options),
        experiment_(options.experiment.empty() ? lab_experiment()
                                               : read_experiment(options.experiment)) {
    const KerasOptions keras{.parts = parse_parts(options.parts),
                             .groups = group_names(),
                             .input = experiment_.data.shape(),
                             .pixels = pixels_of(options),
                             .say = [&](const std::string& line) { remarks_.push_back(line); }};
    for (const std::string& argument : options.files) {
      sources_.emplace_back(argument);
      models_.push_back(import_file(sources_.back().file, keras));
    }
    if (!keras.parts.empty() && std::none_of(models_.begin(), models_.end(), is_mixture)) {
      throw user_error(
          "import", "--part tells apart the models in a mixture's file, and none of these is one");
    }
    find_classes();
    for (std::size_t i = 0; i < models_.size(); ++i) {
      names_.push_back(name_of(sources_[i], models_[i]));
      if (std::count(names_.begin(), names_.end(), names_[i]) > 1) {
        throw user_error("import", "{}: there is a {} already", path_text(sources_[i].file),
                         names_[i]);
      }
      std::visit([&](auto& saved) { complete(saved, sources_[i].file, names_[i]); }, models_[i]);
    }
    join();
  }

  void write() const {
    const RunFolder run = RunFolder::create(options_.run, experiment_);
    for (const std::string& remark : remarks_) print_out("note: {}\n", remark);
    for (std::size_t i = 0; i < models_.size(); ++i) {
      // Importance models have no folder: they are in the mixture's file.
      if (!is_importance(names_[i])) run.write_model(names_[i], models_[i]);
      const auto parameters =
          std::visit([](const auto& saved) { return count_parameters(saved.model); }, models_[i]);
      print_out("{:<22} {:>12} parameters   from {}\n", names_[i], with_commas(parameters),
                i < sources_.size() ? path_text(sources_[i].file) : "its parts");
    }
    OutputNames outputs;
    for (const AnyModel& model : models_) outputs.add(model);
    outputs.print();
    run.write_sums();
    print_out("\nrun folder: {}\n", run.path().string());
    print_advice(run.path());
  }

 private:
  /// Sets classes, groups and the images' shape: those of the options, else of a file, else of the
  /// experiment, else of the lab.
  void find_classes() {
    class_names_ = class_names_of(experiment_);
    if (options_.experiment.empty()) take_files_facts();
    if (options_.classes.empty()) return;
    const std::set<std::string> seen(options_.classes.begin(), options_.classes.end());
    for (const std::string& name : seen) {
      if (std::ranges::count(options_.classes, name) > 1) {
        throw user_error("import", "--classes has '{}' twice: give each output its own name",
                         one_line(name));
      }
      if (name.empty()) throw user_error("import", "--classes has an empty name");
    }
    take_class_names(options_.classes);
  }

  void take_files_facts() {
    const auto take_input = [&](const auto& saved) {
      const Shape& input = input_of(saved);
      if (input.size() != 3) return;  // complete() refuses it
      experiment_.data.height = static_cast<int>(input[0]);
      experiment_.data.width = static_cast<int>(input[1]);
      experiment_.data.channels = static_cast<int>(input[2]);
      experiment_.data.resize = saved.resize;
    };
    std::visit(take_input, models_.front());
    for (const AnyModel& model : models_) {
      if (const auto* mixture = std::get_if<SavedMixture>(&model)) {
        if (mixture->class_names.empty()) continue;
        experiment_.groups = mixture->groups;
        take_class_names(mixture->class_names);
      } else if (const auto& names = std::get<SavedModel>(model).class_names;
                 !names.empty() && names != group_names()) {
        take_class_names(names);
      }
    }
  }

  /// Other classes than those of the groups are of one network.
  void take_class_names(const std::vector<std::string>& names) {
    std::vector<std::string> of_groups;
    for (const Groups::Group& group : experiment_.groups) {
      of_groups.insert(of_groups.end(), group.classes.begin(), group.classes.end());
    }
    if (sorted(of_groups) != sorted(names)) {
      if (std::ranges::any_of(models_, is_mixture) || !options_.experiment.empty()) {
        throw user_error("import",
                         "--classes must have the classes of the groups, {}: others are declared "
                         "by the groups of --experiment FILE",
                         fmt::join(of_groups, ", "));
      }
      experiment_.groups.clear();
    }
    class_names_ = names;
    if (!options_.experiment.empty()) return;
    experiment_.data.set = sorted(names) == sorted(cifar10_class_names()) ? "cifar-10" : "folder";
  }

  static bool is_importance(const std::string& name) {
    return name.starts_with(names::importance(""));
  }

  std::vector<std::string> part_names() const { return names::parts(group_names()); }

  std::string name_of(const Source& source, const AnyModel& model) const {
    std::vector<std::string> names = part_names();
    const auto* network = std::get_if<SavedModel>(&model);
    if (network == nullptr) names = {names::kMixture};
    const auto known = [&](const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!source.name.empty()) {
      if (known(source.name)) return source.name;
      throw user_error("import", "{}={}: the name must be {}", source.name, path_text(source.file),
                       fmt::join(names, ", "));
    }
    if (network == nullptr) return names::kMixture;
    if (known(source.stem())) return source.stem();
    if (known(network->model.name)) return network->model.name;
    if (sources_.size() == 1) return names::kBaseline;
    throw user_error("import", "{}: say which model it is by NAME={}, where NAME is {}",
                     path_text(source.file), path_text(source.file), fmt::join(names, ", "));
  }

  void complete(SavedModel& saved, const fs::path& file, const std::string& name) const {
    saved.model.name = name;
    require_pictures(saved.model.input, file);
    const std::vector<std::string> wanted = name == names::kGate ? group_names() : class_names_;
    require_outputs(summarize(saved.model).back().output, wanted, is_importance(name), file);
    if (saved.class_names.empty() || !options_.classes.empty()) saved.class_names = wanted;
  }

  void complete(SavedMixture& saved, const fs::path& file, const std::string&) const {
    require_pictures(saved.model.baseline.input, file);
    require_outputs(summarize(saved.model.baseline).back().output, class_names_, false, file);
    std::vector<std::string> groups;
    for (const Mixture::Branch& branch : saved.model.branches) groups.push_back(branch.group);
    if (groups != group_names()) {
      throw user_error("import", "{} has the groups {}, but {} are declared", path_text(file),
                       fmt::join(groups, ", "), fmt::join(group_names(), ", "));
    }
    if (!saved.class_names.empty() && options_.classes.empty()) return;
    saved.class_names = class_names_;
    saved.groups = experiment_.groups;
  }

  /// Joins separately saved parts into a mixture if all of them are there.
  void join() {
    std::map<std::string, SavedModel> parts;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      if (const auto* saved = std::get_if<SavedModel>(&models_[i]))
        parts.emplace(names_[i], *saved);
    }
    std::vector<std::string> missing = part_names();
    std::erase_if(missing, [&](const std::string& name) { return parts.contains(name); });
    const bool has_mixture = std::ranges::any_of(models_, is_mixture);
    const auto importance = std::ranges::find_if(names_, is_importance);
    if (has_mixture) {
      if (importance != names_.end()) {
        remarks_.push_back(
            "the mixture's file has importance models of its own: others are not used");
      }
      return;
    }
    if (importance != names_.end() && !missing.empty()) {
      throw user_error("import", "{} is useful only in a mixture: give its other parts too: {}",
                       *importance, fmt::join(missing, ", "));
    }
    if (parts.size() < 2) return;
    if (!missing.empty()) {
      remarks_.push_back(fmt::format(
          "no mixture is made of {}: {} are missing; give them too, or let `sluice train` train "
          "every part",
          fmt::join(names_, ", "), fmt::join(missing, ", ")));
      return;
    }
    SavedMixture mixture = join_parts(parts, experiment_.groups);
    mixture.class_names = class_names_;
    models_.emplace_back(std::move(mixture));
    names_.emplace_back(names::kMixture);
  }

  /// Prints commands that use the imported models.
  void print_advice(const fs::path& run) const {
    const auto has = [&](const char* name) {
      return std::ranges::find(names_, name) != names_.end();
    };
    const Shape& input = std::visit(
        [](const auto& saved) -> const Shape& { return input_of(saved); }, models_.front());
    std::vector<std::string> commands;
    if (input == experiment_.data.shape()) {
      commands.push_back(fmt::format("evaluate {}{}", run.string(),
                                     experiment_.data.set == "folder" ? " --data DIR" : ""));
    }
    const bool answers = has(names::kMixture) || has(names::kBaseline);
    commands.push_back(fmt::format(
        "predict {} PICTURE",
        answers ? run.string() : (run / names_.front() / "model.safetensors").string()));
    for (const std::string& command : commands) {
      print_out("{:<11} sluice {}\n", command == commands.front() ? "try it:" : "", command);
    }
  }

  static const Shape& input_of(const SavedModel& saved) { return saved.model.input; }
  static const Shape& input_of(const SavedMixture& saved) { return saved.model.baseline.input; }

  static void require_pictures(const Shape& input, const fs::path& file) {
    constexpr std::int64_t kLeast = 8;
    constexpr std::int64_t kMost = 1024;
    const auto fits = [](std::int64_t size) { return size >= kLeast && size <= kMost; };
    if (input.size() == 3 && (input[2] == 3 || input[2] == 1) && fits(input[0]) && fits(input[1])) {
      return;
    }
    throw user_error(
        "import",
        "{} takes {}, and Sluice gives models colour pictures, (height, width, 3), or grey ones, "
        "(height, width, 1), of {} to {} pixels a side: no picture fits it",
        path_text(file), to_string(input), kLeast, kMost);
  }

  void require_outputs(const Shape& outputs, const std::vector<std::string>& names, bool importance,
                       const fs::path& file) const {
    Shape wanted{static_cast<std::int64_t>(names.size())};
    if (importance) wanted.push_back(2);
    if (outputs == wanted) return;
    throw user_error(
        "import",
        "{} has the output {}, but there are {} names for it: {}; give those of a network in the "
        "order of its outputs by --classes A,B,..., those of a mixture by --experiment FILE",
        path_text(file), to_string(outputs), names.size(), fmt::join(names, ", "));
  }

  std::vector<std::string> group_names() const {
    std::vector<std::string> names;
    for (const Groups::Group& group : experiment_.groups) names.push_back(group.name);
    return names;
  }

  const ImportOptions& options_;
  Experiment experiment_;
  std::vector<std::string> class_names_;
  std::vector<Source> sources_;
  std::vector<AnyModel> models_;
  std::vector<std::string> names_;    ///< of models_: those of sources_, then that of their mixture
  std::vector<std::string> remarks_;  ///< notes for the user
};

}  // namespace

void add_import(CLI::App& app) {
  auto* verb = app.add_subcommand("import", "Make a run from models of Keras or ONNX");
  verb->footer(R"(Reads .keras files, .weights.h5 files, legacy .h5 files and ONNX files of one
network (of PyTorch, tf2onnx, Keras). A file's name is that of its model
(baseline.keras, gate.onnx, expert-natural.weights.h5), unless NAME=FILE gives
another. A file with only weights must be of a model of the lab. An ONNX network
of open height and width takes images of the experiment's size, else 32x32.
Baseline, gate, experts and importance models of all groups become a mixture.
Without --classes and --experiment, classes and groups are those of the files,
else CIFAR-10's classes in the lab's groups; the gate's first output is
"artificial". Logits get a softmax; one sigmoid unit becomes two classes.

Models take pixels of 0 to 1, unless their first layer says otherwise
(Rescaling, Normalization, x / 255), or --input: (x - mean) / deviation of x on
that scale.

Examples:
  sluice import my_cnn.h5 --run runs/mine
  sluice import cats.keras --classes cat,dog --input 0..255
  sluice import net.keras --mean .49,.48,.45 --deviation .25,.24,.26
  sluice import baseline.keras gate.keras --run runs/notebook
  sluice import baseline=my_cnn.h5 expert-natural=cnn_2.weights.h5
  sluice import baseline=resnet.onnx    as torch.onnx.export() writes it
  sluice import mixture.keras --part baseline=cnn --part gate=cnn_1
  sluice import parts/*.keras           importance-natural.keras, ... too
  sluice evaluate runs/notebook)");
  const auto options = std::make_shared<ImportOptions>();
  verb->add_option("FILE", options->files, "Files to read, each FILE or NAME=FILE")->required();
  verb->add_option("--run", options->run, "Folder to make (default: runs/imported, ...)")
      ->type_name("DIR");
  verb->add_option("--experiment", options->experiment, "TOML file that declares the groups")
      ->type_name("FILE");
  verb->add_option("--part", options->parts,
                   "A mixture's part and its model's name in\nthe file; repeatable")
      ->type_name("PART=NAME")
      ->take_all();
  verb->add_option("--classes", options->classes,
                   "Names of the outputs of one network, in their\norder")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B,...");
  verb->add_option("--input", options->input,
                   "Scale of the pixels that the models were\n"
                   "trained on: 0..1, 0..255 or -1..1")
      ->check(one_of({"0..1", "0..255", "-1..1"}))
      ->type_name("SCALE");
  verb->add_option("--mean", options->mean, "Mean that was subtracted: of each channel, or one")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("R,G,B");
  verb->add_option("--deviation", options->deviation, "Deviation that it was divided by")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("R,G,B");
  verb->callback([options] {
    RunFolder::require_free(options->run);
    Import(*options).write();
  });
}

}  // namespace sluice::cli
