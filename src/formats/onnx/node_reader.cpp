#include "formats/onnx/node_reader.h"

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

std::string_view NodeReader::label() const {
  if (!node_.name.empty() || node_.outputs.empty()) return node_.name;
  return node_.outputs.front();
}

std::string_view NodeReader::layer_name() const {
  for (const std::string_view suffix : {".weight", "/kernel", "/gamma"}) {
    const std::string_view weight = input(1);
    if (weight.ends_with(suffix)) return weight.substr(0, weight.size() - suffix.size());
  }
  return label();
}

std::string_view NodeReader::input(std::size_t index) const {
  return index < node_.inputs.size() ? node_.inputs[index] : std::string_view();
}

std::int64_t NodeReader::whole(std::string_view attribute, std::int64_t otherwise) const {
  const OnnxAttribute* found = find(attribute);
  return found == nullptr ? otherwise : found->whole;
}

float NodeReader::real(std::string_view attribute, float otherwise) const {
  const OnnxAttribute* found = find(attribute);
  return found == nullptr ? otherwise : found->real;
}

std::string_view NodeReader::text(std::string_view attribute, std::string_view otherwise) const {
  const OnnxAttribute* found = find(attribute);
  return found == nullptr ? otherwise : found->text;
}

Shape NodeReader::wholes(std::string_view attribute, const Shape& otherwise) const {
  const OnnxAttribute* found = find(attribute);
  return found == nullptr ? otherwise : found->wholes;
}

const OnnxAttribute* NodeReader::find(std::string_view attribute) const {
  for (const OnnxAttribute& each : node_.attributes) {
    if (each.name == attribute) return &each;
  }
  return nullptr;
}

void NodeReader::refuse(std::string_view why) const {
  throw user_error("onnx", "{}: node '{}' ({}) {}", place_, one_line(label()), one_line(op()), why);
}

}  // namespace sluice
