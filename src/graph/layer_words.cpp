#include "graph/layer_words.h"

namespace sluice {

namespace {

struct ClassName {
  const char* operator()(const Conv2D&) const { return "Conv2D"; }
  const char* operator()(const MaxPooling2D&) const { return "MaxPooling2D"; }
  const char* operator()(const Dropout&) const { return "Dropout"; }
  const char* operator()(const Flatten&) const { return "Flatten"; }
  const char* operator()(const Dense&) const { return "Dense"; }
  const char* operator()(const Reshape&) const { return "Reshape"; }
};

}  // namespace

const std::string& name_of(const Layer& layer) {
  return std::visit([](const auto& any) -> const std::string& { return any.name; }, layer);
}

const char* class_name_of(const Layer& layer) {
  return std::visit(ClassName{}, layer);
}

const char* word_of(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return "relu";
    case Activation::softmax:
      return "softmax";
    case Activation::linear:
      break;
  }
  return "linear";
}

}  // namespace sluice
