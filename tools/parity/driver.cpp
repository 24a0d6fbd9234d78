// Gives Python Sluice's results for one scenario, and everything that Keras needs to compute the
// same: initial weights, images, labels, dropout masks, the order of the images.
//
//   sluice_parity_driver MODEL on|off FILE.safetensors [OTHER]   (see scenario.h)
//   sluice_parity_driver loss IN.safetensors OUT.safetensors
//   sluice_parity_driver stopping < COURSES
//
// After writing the file it prints a line with the data's name. Then it prints, as floats, each
// step's loss and all weights, sorted by name. For the mixture they would take 5 GB in a file.
//
// Masks are packed: 16 of them are the bits of an integer in a float, the first in the lowest bit.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <sstream>

#include "base/files.h"
#include "data/batching.h"
#include "formats/safetensors/safetensors.h"
#include "ops/cross_entropy.h"
#include "sluice/error.h"
#include "tools/parity/masks.h"
#include "train/early_stopping.h"

namespace sluice::parity {

namespace {

constexpr int kSteps = 100;

/// Tensors for a file, with their own values.
class Output {
 public:
  void add(const std::string& name, Shape shape, std::vector<float> values) {
    values_.push_back(std::move(values));
    tensors_.push_back({name, std::move(shape), values_.back()});
  }
  void add(const std::string& prefix, const Tensors& tensors) {
    for (const auto& [name, values] : tensors) {
      add(prefix + name, {static_cast<std::int64_t>(values.size())}, values);
    }
  }
  void write(const std::string& file) const { write_file(file, to_safetensors(tensors_, {})); }

 private:
  std::deque<std::vector<float>> values_;
  std::vector<NamedTensor> tensors_;
};

std::vector<float> pack(const std::vector<std::uint8_t>& bits) {
  std::vector<float> packed((bits.size() + 15) / 16);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    packed[i / 16] += static_cast<float>(bits[i] << (i % 16));
  }
  return packed;
}

/// Moves a mask of a part's own rows to the positions of these rows in the batch.
std::vector<std::uint8_t> spread(const std::vector<std::uint8_t>& kept, std::size_t elements,
                                 std::span<const std::uint32_t> rows, int count) {
  std::vector<std::uint8_t> all(count * elements);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(kept.begin() + i * elements, elements, all.begin() + rows[i] * elements);
  }
  return all;
}

/// Collects the masks of all training steps.
class MaskWriter {
 public:
  MaskWriter(Scenario& scenario, int batch)
      : scenario_(scenario), batch_(batch), examples_(scenario.train()) {
    for (const Part& part : scenario.parts()) masks_.emplace_back(part, batch);
    if (const Part* gate = scenario.gate()) {
      gate_ = sluice::compile_for_inference(*gate->model, *gate->weights,
                                            {batch, sluice::Compute::exact});
    }
  }

  void add_step(std::span<const std::uint32_t> rows, std::uint32_t step) {
    fill_batch(examples_, rows, data_);
    std::vector<std::vector<std::uint32_t>> routed(2);
    if (gate_) {
      const auto chosen = gate_->forward(data_.images, data_.size(), {kSeed, kStage, 0, step});
      for (std::uint32_t i = 0; i < rows.size(); ++i) {
        const int group = chosen_group(chosen.subspan(2 * i, 2));
        routed[group].push_back(i);
        groups_.push_back(static_cast<float>(group));
      }
    }
    const auto everything = in_order(rows.size());
    const std::vector<Part> parts = scenario_.parts();
    for (std::size_t p = 0; p < parts.size(); ++p) {
      masks_[p].draw(step);
      const auto& own = parts[p].group < 0 ? everything : routed[parts[p].group];
      for (std::size_t i = 0; i < masks_[p].layers().size(); ++i) {
        const Masks::Layer& layer = masks_[p].layers()[i];
        const auto packed = pack(spread(masks_[p].kept(i), layer.elements, own, batch_));
        auto& all = packed_[parts[p].prefix + layer.name];
        all.insert(all.end(), packed.begin(), packed.end());
      }
    }
  }

  void write(const std::string& prefix, Output& output) const {
    output.add(prefix + "mask/", packed_);
    output.add(prefix + "groups", {static_cast<std::int64_t>(groups_.size())}, groups_);
  }

 private:
  Scenario& scenario_;
  int batch_;
  Examples examples_;
  std::deque<Masks> masks_;
  std::unique_ptr<CompiledModel> gate_;
  Batch data_;
  Tensors packed_;
  std::vector<float> groups_;  ///< group of every row of every step
};

void add_examples(const std::string& prefix, const Examples& examples, Output& output) {
  Batch batch;
  fill_batch(examples, in_order(examples.size()), batch);
  const auto count = static_cast<std::int64_t>(examples.size());
  output.add(prefix + "images", {count, 32, 32, 3}, batch.images);
  output.add(prefix + "labels", {count}, {batch.labels.begin(), batch.labels.end()});
}

void add_steps(Scenario& scenario, Output& output) {
  MaskWriter masks(scenario, kBatch);
  for (int step = 0; step < kSteps; ++step) {
    masks.add_step(scenario.rows_of_step(step), static_cast<std::uint32_t>(step));
  }
  masks.write("steps/", output);
  const Step first = scenario.first_step();
  output.add("outputs", {static_cast<std::int64_t>(first.outputs.size())}, first.outputs);
  output.add("gradient/", first.gradients);
}

void add_fit(Scenario& scenario, Output& output) {
  scenario.reset();
  MaskWriter masks(scenario, kFitBatch);
  std::uint32_t step = 0;
  for (std::uint32_t epoch = 1; epoch <= kFitEpochs; ++epoch) {
    const auto order =
        permutation(kFitImages, RandomStream(kSeed, Purpose::shuffle, kStage, epoch));
    for (std::size_t first = 0; first < order.size(); first += kFitBatch) {
      const std::size_t count = std::min<std::size_t>(kFitBatch, order.size() - first);
      masks.add_step(std::span(order).subspan(first, count), step++);
    }
    output.add(fmt::format("fit/order{}", epoch), {kFitImages}, {order.begin(), order.end()});
  }
  masks.write("fit/", output);
  std::vector<float> history;
  for (const Epoch& epoch : scenario.fit().epochs) {
    for (const double figure : {epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy}) {
      history.push_back(static_cast<float>(figure));
    }
  }
  output.add("fit/history", {kFitEpochs, 4}, history);
  output.add("fit/after/", scenario.weights());
}

void write_scenario(const std::string& model, bool dropout, const std::string& file, int other) {
  const char* data = std::getenv("SLUICE_DATA");
  Scenario scenario(model, dropout, data != nullptr ? data : "builtin", other);
  Output output;
  add_examples("train/", scenario.train(), output);
  add_examples("test/", scenario.test(), output);
  output.add("first/", scenario.weights());
  add_steps(scenario, output);
  add_fit(scenario, output);
  output.write(file);
  fmt::print("{}\n", scenario.data().name);
  scenario.run(kSteps, [&](int, double loss) {
    const auto as_float = static_cast<float>(loss);
    std::fwrite(&as_float, sizeof(float), 1, stdout);
    for (const auto& [name, values] : scenario.weights()) {
      std::fwrite(values.data(), sizeof(float), values.size(), stdout);
    }
    std::fflush(stdout);
  });
}

/// Computes the loss on rows that Python made: "values" as outputs and as logits, "labels".
void write_losses(const std::string& in, const std::string& out) {
  const Safetensors file = Safetensors::read(in);
  const auto read = [&](const char* name) {
    const Safetensors::Tensor& tensor = *file.find(name);
    std::vector<float> values(static_cast<std::size_t>(element_count(tensor.shape)));
    file.copy(tensor, values);
    return values;
  };
  const std::vector<float> labels_read = read("labels");
  const std::vector<int> labels(labels_read.begin(), labels_read.end());
  Output output;
  for (const char* kind : {"outputs", "logits"}) {
    const auto loss = kind == std::string("logits") ? ops::cross_entropy_from_logits
                                                    : ops::cross_entropy_from_outputs;
    const std::vector<float> values = read(kind);
    const auto classes = static_cast<std::int64_t>(values.size() / labels.size());
    std::vector<float> losses(labels.size());
    std::vector<float> gradient(values.size());
    for (std::size_t row = 0; row < labels.size(); ++row) {
      losses[row] = static_cast<float>(
          loss(std::span(values).subspan(row * classes, classes), std::span(labels).subspan(row, 1),
               1, std::span(gradient).subspan(row * classes, classes), {}));
    }
    const auto rows = static_cast<std::int64_t>(labels.size());
    output.add(std::string(kind) + "/loss", {rows}, losses);
    output.add(std::string(kind) + "/gradient", {rows, classes}, gradient);
  }
  output.write(out);
}

/// Tests early stopping. A line has monitor, patience, min_delta, start_from_epoch, 0 or 1 for
/// restore_best_weights, and the monitored figure of each epoch. For each line it prints the last
/// epoch and the final weight; each epoch sets the weight to its own number.
void print_stopping() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    EarlyStopping options{.enabled = true};
    words >> options.monitor >> options.patience >> options.min_delta >> options.start_from_epoch >>
        options.restore_best_weights;
    float weight = 0;
    EarlyStopper stopper(options, {std::span(&weight, 1)});
    int epoch = 0;
    for (double figure = 0; words >> figure;) {
      weight = static_cast<float>(++epoch);
      if (!stopper.should_continue(epoch, {figure, figure, figure, figure, 1})) break;
    }
    stopper.restore();
    fmt::print("{} {}\n", epoch, weight);
  }
}

}  // namespace

}  // namespace sluice::parity

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 3 && arguments[0] == "loss") {
      sluice::parity::write_losses(arguments[1], arguments[2]);
    } else if (arguments.size() == 1 && arguments[0] == "stopping") {
      sluice::parity::print_stopping();
    } else if (arguments.size() == 3 || arguments.size() == 4) {
      const int other = arguments.size() == 4 ? std::atoi(arguments[3].c_str()) : 0;
      sluice::parity::write_scenario(arguments[0], arguments[1] == "on", arguments[2], other);
    } else {
      fmt::print(stderr,
                 "sluice_parity_driver MODEL on|off FILE [OTHER], loss IN OUT, or stopping\n");
      return 2;
    }
  } catch (const sluice::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
