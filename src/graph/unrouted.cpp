#include "graph/unrouted.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "graph/graph_builder.h"
#include "graph/thresholds.h"
#include "graph/weights.h"

namespace sluice {

namespace {

/// Of two values that differ, the difference times this is beyond 6.
constexpr double kLarge = 0x1p60;
/// Bounded by relu6(), and exact: 1 / 6 is not, and its error would grow with kFar.
constexpr double kSix = 6;
/// Six times this is more than the difference of any two logits.
constexpr double kFar = 0x1p17;

std::vector<Sequential> experts_of(const Layer& layer) {
  if (const auto* cascade = std::get_if<Cascade>(&layer)) return cascade->experts;
  if (const auto* mixture = std::get_if<MixtureOfExperts>(&layer)) return mixture->experts;
  return {};
}

class Unrouting {
 public:
  Unrouting(const Sequential& model, const Weights& weights) : model_(model), weights_(weights) {}

  std::pair<Sequential, Weights> run() {
    const std::vector<std::vector<int>> sources = sources_of_layers(model_);
    const std::vector<LayerSummary> summaries = summarize(model_);
    std::vector<std::string> places;
    for (std::size_t i = 0; i < model_.layers.size(); ++i) {
      const Layer& layer = model_.layers[i];
      const std::vector<std::string> inputs = names_of_sources(sources[i], places);
      if (const auto* cascade = std::get_if<Cascade>(&layer)) {
        places.push_back(add(*cascade, inputs, summaries[i].output));
      } else if (const auto* mixture = std::get_if<MixtureOfExperts>(&layer)) {
        places.push_back(add(*mixture, inputs, summaries[i].output));
      } else if (const auto* convolution = std::get_if<CondConv2D>(&layer)) {
        places.push_back(add(*convolution, inputs.front(), summaries[i].output));
      } else {
        places.push_back(graph_.add(layer, inputs));
      }
    }
    Sequential result = graph_.take();
    leave_out_usual_inputs(result);
    result.name = model_.name;
    result.input = model_.input;
    result.frozen = frozen();
    Weights its_weights = weights_of(result);
    return {std::move(result), std::move(its_weights)};
  }

 private:
  /// The mean of the first answer and the expert's where the first is unsure.
  std::string add(const Cascade& cascade, const std::vector<std::string>& inputs,
                  const Shape& output) {
    name_ = cascade.name;
    const auto classes = static_cast<int>(output.front());
    const std::string& first = inputs[1];
    const double threshold = threshold_for(thresholds_in(weights_, cascade.name), cascade.share);
    const std::string probabilities =
        graph_.add(ActivationLayer{named("probabilities"), Activation::softmax}, {first});
    // 1 where the largest probability is below the threshold, else 0.
    const std::string lead =
        rescaled("lead", -kLarge, kLarge * threshold, largest("largest", probabilities, classes));
    const std::string unsure = rescaled("unsure", 1 / kSix, 0, bounded("unsure", lead));
    const bool one_expert = cascade.expert_of_class.empty();
    const std::string best = one_expert ? "" : one_hot("best", first, classes);
    std::string sum = first;
    for (std::size_t e = 0; e < cascade.experts.size(); ++e) {
      const std::string number = fmt::format("{}", e + 1);
      std::string its = unsure;
      if (!one_expert) {
        std::vector<float> of_class;
        for (const int expert : cascade.expert_of_class) {
          of_class.push_back(expert == static_cast<int>(e) ? 1 / static_cast<float>(kSix) : 0.F);
        }
        its =
            multiplied("its" + number, {unsure, constant("of-class" + number, 1, of_class, best)});
      }
      const std::string half = rescaled("half" + number, 0.5, 0, its);
      const std::string answer = expert(cascade.experts[e], inputs[0]);
      const std::string change =
          added("change" + number, {answer, rescaled("minus-first" + number, -1, 0, first)});
      sum = added(
          "sum" + number,
          {sum, multiplied("part" + number, {change, spread("share" + number, half, {classes})})});
    }
    return sum;
  }

  /// The experts' answers times the gate's weights, which are 0 for those that are not chosen.
  std::string add(const MixtureOfExperts& mixture, const std::vector<std::string>& inputs,
                  const Shape& output) {
    name_ = mixture.name;
    const auto experts = static_cast<int>(mixture.experts.size());
    const std::string weights = gate_weights(mixture, inputs[1], experts);
    std::string sum;
    for (int e = 0; e < experts; ++e) {
      const std::string number = fmt::format("{}", e + 1);
      const std::string answer = expert(mixture.experts[static_cast<std::size_t>(e)], inputs[0]);
      const std::string part = weighted(number, answer, weights, experts, e, output);
      sum = e == 0 ? part : added("sum" + number, {sum, part});
    }
    return sum;
  }

  /// The convolutions with all kernels, each times its weight.
  std::string add(const CondConv2D& mixed, const std::string& input, const Shape& output) {
    name_ = mixed.name;
    const std::string means = graph_.add(GlobalAveragePooling2D{named("means")}, {input});
    const std::string weights =
        graph_.add(Dense{named("gate"), mixed.kernels, Activation::softmax}, {means});
    original_[weights] = {name_, "gate_"};
    std::string sum;
    for (int k = 0; k < mixed.kernels; ++k) {
      const std::string number = fmt::format("{}", k + 1);
      const std::string result =
          graph_.add(Conv2D{named("kernel" + number), mixed.filters, mixed.kernel_size,
                            Activation::linear, mixed.strides, mixed.padding, mixed.use_bias},
                     {input});
      parts_[result] = {name_, static_cast<std::size_t>(k)};
      const std::string part = weighted(number, result, weights, mixed.kernels, k, output);
      sum = k == 0 ? part : added("sum" + number, {sum, part});
    }
    return graph_.add(ActivationLayer{named("activation"), mixed.activation}, {sum});
  }

  /// A value times one of several weights.
  std::string weighted(const std::string& number, const std::string& value,
                       const std::string& weights, int count, int chosen, const Shape& shape) {
    std::vector<float> column(static_cast<std::size_t>(count), 0.F);
    column[static_cast<std::size_t>(chosen)] = 1;
    const std::string weight = constant("weight" + number, 1, column, weights);
    return multiplied("part" + number, {value, spread("share" + number, weight, shape)});
  }

  std::string gate_weights(const MixtureOfExperts& mixture, const std::string& logits,
                           int experts) {
    const double by = 1 / mixture.temperature;
    const auto softmax = [&](const std::string& of) {
      return graph_.add(ActivationLayer{named("probabilities"), Activation::softmax},
                        {by == 1 ? of : rescaled("divided", by, 0, of)});
    };
    if (mixture.top_k == experts) return softmax(logits);
    std::string chosen;  // six for each expert that is chosen so far
    std::string left = with_selection_bias(mixture, logits);
    for (int k = 1; k <= mixture.top_k; ++k) {
      const std::string number = fmt::format("{}", k);
      const std::string best = one_hot("choice" + number, left, experts);
      chosen = k == 1 ? best : added("chosen" + number, {chosen, best});
      if (k == mixture.top_k) break;
      left = added("left" + number, {left, rescaled("taken" + number, -kFar, 0, best)});
    }
    if (mixture.normalize_weights) {
      const double far = kFar * std::max(mixture.temperature, 1.);
      const std::string away = rescaled("others-away", -far, 0, opposite("others", chosen));
      return softmax(added("chosen-logits", {logits, away}));
    }
    return multiplied("weights", {softmax(logits), rescaled("choice", 1 / kSix, 0, chosen)});
  }

  /// What the choice compares.
  std::string with_selection_bias(const MixtureOfExperts& mixture, const std::string& logits) {
    if (!(mixture.bias_rate > 0)) return logits;
    const auto bias = weights_.values(tensor_of(weights_, mixture.name, kSelectionBias));
    Normalization adds{named("scores"), {}, std::vector<double>(bias.size(), 1)};
    for (const float each : bias) adds.mean.push_back(-each);
    return graph_.add(adds, {logits});
  }

  std::string named(const std::string& what) const { return name_ + "." + what; }

  std::string expert(const Sequential& network, const std::string& input) {
    const std::string prefix = name_ + "." + network.name + ".";
    for (const Layer& layer : network.layers) {
      original_[prefix + name_of(layer)] = {name_, network.name + "/" + name_of(layer) + "/"};
    }
    return graph_.add_network(prefix, network, input);
  }

  std::string rescaled(const std::string& what, double scale, double offset,
                       const std::string& of) {
    return graph_.add(Rescaling{named(what), scale, offset}, {of});
  }
  std::string added(const std::string& what, const std::vector<std::string>& values) {
    return graph_.add(Add{named(what)}, values);
  }
  std::string multiplied(const std::string& what, const std::vector<std::string>& values) {
    return graph_.add(Multiply{named(what)}, values);
  }
  /// A Dense without bias whose kernel does not come from the model.
  std::string constant(const std::string& what, int units, const std::vector<float>& kernel,
                       const std::string& of) {
    kernels_[named(what)] = kernel;
    return graph_.add(Dense{named(what), units, Activation::linear, false}, {of});
  }
  /// Of enlarged values: six for those above 0, else 0.
  std::string bounded(const std::string& what, const std::string& large) {
    return graph_.add(ActivationLayer{named(what + "-bounded"), Activation::relu6}, {large});
  }
  /// Six for 0 and 0 for six. Its activation does nothing but keep TensorFlow from adding the
  /// six, or a large multiple of it, to something else before, which would round that.
  std::string opposite(const std::string& what, const std::string& of) {
    return bounded(what + "-opposite", rescaled(what + "-negative", -1, kSix, of));
  }
  std::string largest(const std::string& what, const std::string& of, int count) {
    const std::string column = graph_.add(Reshape{named(what + "-column"), {count, 1, 1}}, {of});
    return graph_.add(GlobalMaxPooling2D{named(what)}, {column});
  }
  /// One value at every place of a shape.
  std::string spread(const std::string& what, const std::string& value, const Shape& shape) {
    const auto places = static_cast<int>(element_count(shape));
    const std::vector<float> ones(static_cast<std::size_t>(places), 1.F);
    const bool is_flat = shape.size() == 1;
    const std::string flat = constant(is_flat ? what : what + "-flat", places, ones, value);
    return is_flat ? flat : graph_.add(Reshape{named(what), shape}, {flat});
  }
  /// Six for the largest of some values, 0 for the others.
  std::string one_hot(const std::string& what, const std::string& of, int count) {
    const std::string most = spread(what + "-most", largest(what + "-largest", of, count), {count});
    const std::string lead = added(what + "-lead", {most, rescaled(what + "-minus", -1, 0, of)});
    return opposite(what, bounded(what, rescaled(what + "-large", kLarge, 0, lead)));
  }

  /// What the model freezes, by its new names, and the kernels that choose.
  std::set<std::string> frozen() const {
    std::set<std::string> names;
    for (const auto& [layer, kernel] : kernels_) names.insert(layer);
    for (const std::string& name : model_.frozen) {
      bool is_of_experts = false;
      for (const auto& [layer, original] : original_) {
        const std::string own = original.first + "/" + original.second;  // "experts/a/conv/"
        if (own.starts_with(name + "/")) names.insert(layer);
        if (name.starts_with(own)) names.insert(layer + "/" + name.substr(own.size()));
        is_of_experts |= name == original.first || name.starts_with(original.first + "/");
      }
      for (const auto& [layer, part] : parts_) {
        if (name == part.layer) names.insert(layer);
        if (name == part.layer + "/kernel" || name == part.layer + "/bias") {
          names.insert(layer + name.substr(part.layer.size()));
        }
      }
      if (!is_of_experts) names.insert(name);
    }
    for (const Layer& layer : model_.layers) {
      for (const Sequential& expert : experts_of(layer)) {
        for (const std::string& name : expert.frozen) {
          names.insert(name_of(layer) + "." + expert.name + "." + name);
        }
      }
    }
    return names;
  }

  Weights weights_of(const Sequential& result) const {
    Weights own(result);
    for (const Weights::Tensor& tensor : own.tensors()) {
      const std::span<float> values = own.values(tensor);
      if (const auto kernel = kernels_.find(tensor.layer); kernel != kernels_.end()) {
        std::ranges::copy(kernel->second, values.begin());
        continue;
      }
      if (const auto part = parts_.find(tensor.layer); part != parts_.end()) {
        const auto& [layer, number] = part->second;
        const auto all = weights_.values(tensor_of(weights_, layer, tensor.kind));
        const bool is_kernel = tensor.kind == "kernel";
        std::ranges::copy(all.subspan(is_kernel ? number * tensor.size : 0, tensor.size),
                          values.begin());
        continue;
      }
      const auto found = original_.find(tensor.layer);
      const std::string layer = found == original_.end() ? tensor.layer : found->second.first;
      const std::string kind =
          found == original_.end() ? tensor.kind : found->second.second + tensor.kind;
      std::ranges::copy(weights_.values(tensor_of(weights_, layer, kind)), values.begin());
    }
    return own;
  }

  const Sequential& model_;
  const Weights& weights_;
  GraphBuilder graph_;
  std::string name_;  ///< of the layer at hand
  std::map<std::string, std::vector<float>> kernels_;
  /// By a layer of an expert: the layer of experts, and the beginning of its tensors' kinds.
  std::map<std::string, std::pair<std::string, std::string>> original_;
  /// By a convolution: the layer of which it has one kernel.
  struct Part {
    std::string layer;
    std::size_t number;
  };
  std::map<std::string, Part> parts_;
};

}  // namespace

std::pair<Sequential, Weights> unrouted(const Sequential& model, const Weights& weights) {
  if (std::ranges::none_of(model.layers, is_mixture)) return {model, weights};
  return Unrouting(model, weights).run();
}

}  // namespace sluice
