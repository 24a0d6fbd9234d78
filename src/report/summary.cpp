#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

/// Formats "8.27 MB": fp32, with Keras's units (1 KB is 1,024 bytes).
std::string memory_size(std::int64_t parameters) {
  double size = static_cast<double>(parameters) * sizeof(float);
  const char* unit = "B";
  for (const char* larger : {"KB", "MB", "GB", "TB"}) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return fmt::format("{:.2f} {}", size, unit);
}

std::string total_line(const char* what, std::int64_t parameters) {
  return fmt::format(" {}: {} ({})", what, with_commas(parameters), memory_size(parameters));
}

/// Formats a shape with a free batch size: "(None, 32, 32, 3)".
std::string batch_shape(const Shape& shape) {
  std::string text = "(None";
  for (const std::int64_t size : shape) text += fmt::format(", {}", size);
  return text + ")";
}

std::int64_t count_trained(const Sequential& model) {
  std::int64_t count = 0;
  for (const LayerSummary& layer : summarize(model)) {
    for (const TensorSpec& tensor : layer.tensors) {
      if (tensor.trained) count += element_count(tensor.shape);
    }
  }
  return count;
}

std::string kind(const std::vector<LayerSummary>& layers) {
  const auto convolves = [](const TensorSpec& tensor) { return tensor.shape.size() == 4; };
  const bool cnn = std::ranges::any_of(layers, [&](const LayerSummary& layer) {
    return std::ranges::any_of(layer.tensors, convolves);
  });
  return cnn ? "CNN" : "dense";
}

std::vector<std::string> part_row(const Sequential& part, const std::string& role) {
  const std::vector<LayerSummary> layers = summarize(part);
  return {printable(part.name), kind(layers) + ", " + role, batch_shape(layers.back().output),
          with_commas(count_parameters(part))};
}

}  // namespace

std::string summary_text(const Sequential& model) {
  std::vector<std::vector<std::string>> rows;
  std::int64_t total = 0;
  for (const LayerSummary& layer : summarize(model)) {
    const std::string type = " (" + layer.type + ")";
    rows.push_back({cut(printable(layer.name), 33 - type.size()) + type, batch_shape(layer.output),
                    with_commas(layer.parameters())});
    total += layer.parameters();
  }
  const std::int64_t trained = count_trained(model);
  return cut(fmt::format("Model: \"{}\"", printable(model.name)), kTextWidth) + "\n" +
         boxed_table({{"Layer (type)", 33}, {"Output Shape", 24}, {"Param #", 13, true}}, rows) +
         total_line("Total params", total) + "\n" + total_line("Trainable params", trained) + "\n" +
         total_line("Non-trainable params", total - trained) + "\n" +
         fmt::format(" Operations per image: {}, multiplications and additions\n",
                     with_commas(static_cast<std::int64_t>(count_flops(model))));
}

std::string summary_text(const Mixture& model) {
  std::vector<std::vector<std::string>> rows;
  rows.push_back(part_row(model.baseline, "all classes"));
  rows.push_back(part_row(model.gate, "picks the group"));
  const std::int64_t baseline = count_parameters(model.baseline);
  const std::int64_t gate = count_parameters(model.gate);
  std::int64_t branches = 0;
  std::int64_t largest = 0;
  std::int64_t trained = count_trained(model.baseline);
  for (const Mixture::Branch& branch : model.branches) {
    rows.push_back(part_row(branch.expert, "on " + printable(branch.group)));
    const std::int64_t size = count_parameters(branch.expert) + count_parameters(branch.importance);
    branches += size;
    trained += count_trained(branch.expert) + count_trained(branch.importance);
    largest = std::max(largest, size);
  }
  for (const Mixture::Branch& branch : model.branches) {
    rows.push_back(part_row(branch.importance, "weighs both"));
  }
  return "Model: mixture of experts\n" +
         boxed_table(
             {{"Part", 21}, {"What it is", 22}, {"Output Shape", 13}, {"Param #", 11, true}},
             rows) +
         total_line("Total params", baseline + gate + branches) + "\n" +
         total_line("Trained jointly", trained) + ", all but the gate\n" +
         // Branches may differ: the largest one counts.
         total_line("Active per image", gate + baseline + largest) +
         ", with one expert and its\n importance model\n";
}

}  // namespace sluice
