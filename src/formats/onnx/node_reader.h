#pragma once

#include <string>
#include <string_view>

#include "formats/onnx/file_reader.h"

namespace sluice {

/// A node with its attributes by name, each with the value that it has where the file leaves it
/// out.
class NodeReader {
 public:
  /// Both must outlive the reader.
  NodeReader(const OnnxNode& node, const std::string& place) : node_(node), place_(place) {}

  std::string_view op() const { return node_.op; }
  const OnnxNode& node() const { return node_; }
  /// What messages call it: its name, or that of its first output.
  std::string_view label() const;
  /// What its layer may be called: as its weight without ".weight" or "/kernel", else its label.
  std::string_view layer_name() const;

  /// "" where the node has no such input.
  std::string_view input(std::size_t index) const;
  bool has_input(std::size_t index) const { return !input(index).empty(); }

  bool has(std::string_view attribute) const { return find(attribute) != nullptr; }
  std::int64_t whole(std::string_view attribute, std::int64_t otherwise) const;
  float real(std::string_view attribute, float otherwise) const;
  std::string_view text(std::string_view attribute, std::string_view otherwise) const;
  Shape wholes(std::string_view attribute, const Shape& otherwise = {}) const;
  const OnnxAttribute* find(std::string_view attribute) const;

  /// Throws Error (user): "m.onnx: node 'conv1' (Conv) ...".
  [[noreturn]] void refuse(std::string_view why) const;

 private:
  const OnnxNode& node_;
  const std::string& place_;
};

}  // namespace sluice
