// The lab as in a notebook: load data, declare models, train, print confusion matrices, build the
// mixture, compare.
//
// On 5,000 + 1,000 images of CIFAR-10 the baseline should reach about .56 and the mixture about
// .60, in a few minutes on two cores. On the built-in images, with fewer epochs, expect more.
//
//   lab [EXPERIMENT [DATA]]        lab experiments/lab.toml builtin

#include <iostream>

#include "sluice/lab/report.h"
#include "sluice/lab/run_folder.h"

using namespace sluice;

namespace {

/// Prints a line for each epoch.
class Epochs : public FitObserver {
  void on_epoch(const Progress&, const Epoch& epoch) override {
    std::cout << "  val_accuracy " << epoch.val_accuracy << '\n';
  }
};

void test(CompiledModel& model, const std::string& name, const Examples& examples) {
  std::cout << '\n' << name << '\n' << confusion_text(evaluate(model, examples).confusion);
}

}  // namespace

int main(int argc, char** argv) try {
  // Load the data
  const std::string file = argc > 1 ? argv[1] : "experiments/lab.toml";
  const Experiment experiment = read_experiment(file);
  const DataEvents events{[](const std::string& line) { std::cout << line << '\n'; }, {}};
  const Dataset data = load_data(experiment.data, argc > 2 ? argv[2] : "", events);
  const Groups groups(experiment.groups, data.class_names, file);

  // Declare the models
  const Lab lab(experiment.lab, data, groups);
  std::cout << distribution_text(lab.train_examples(), lab.test_examples()) << '\n'
            << summary_text(lab.declare());

  // Train
  Epochs epochs;
  std::cout << "\nbaseline\n";
  TrainedModel baseline = lab.train_baseline(epochs);
  std::vector<TrainedModel> experts;
  for (int g = 0; g < groups.count(); ++g) {
    std::cout << "\nexpert for " << groups.name(g) << '\n';
    experts.push_back(lab.train_expert(g, epochs));
  }
  std::cout << "\ngate\n";
  TrainedModel gate = lab.train_gate(epochs);

  // Print confusion matrices
  const CompileOptions inference{.batch = 100};
  const auto confuse = [&](TrainedModel& trained, const Examples& examples) {
    const auto compiled = compile_for_inference(trained.model, trained.weights, inference);
    test(*compiled, trained.model.name, examples);
  };
  confuse(baseline, lab.test_examples());
  for (int g = 0; g < groups.count(); ++g) {
    confuse(experts[g], lab.test_examples().of_group(groups, g));
  }
  confuse(gate, lab.test_examples().labelled_by_group(groups));

  // Train the mixture
  std::cout << "\nmixture\n";
  TrainedMixture mixture = lab.train_mixture(baseline, experts, gate, epochs);
  const auto compiled = compile_for_inference(mixture.model, mixture.weights, inference);

  test(*compiled, "mixture", lab.test_examples());

  // Compare with the baseline before joint training, which changed a copy of it
  const Answers answers = ask(baseline.model, baseline.weights, mixture.model, mixture.weights,
                              groups, lab.test_examples(), inference);
  std::cout << '\n'
            << sentence(judge(answers)) << '\n'
            << "It has "
            << double(count_parameters(mixture.model)) / double(count_parameters(baseline.model))
            << " times the parameters.\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
