#include "formats/keras/stored.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/fail.h"
#include "base/text.h"
#include "formats/text/json_text.h"

namespace sluice {

namespace {

constexpr int kFlat = 1;  ///< depth of a list of strings

/// An attribute, or nothing.
nlohmann::json attribute(const Safetensors& file, const std::string& path, const std::string& name,
                         const std::string& place) {
  const auto found = file.metadata().find(path + "@" + name);
  if (found == file.metadata().end()) return nullptr;
  return parse_json(found->second, kFlat, "keras", place + ": " + one_line(found->first));
}

std::string text_attribute(const Safetensors& file, const std::string& path,
                           const std::string& name, const std::string& place) {
  const nlohmann::json value = attribute(file, path, name, place);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::vector<std::string> list_attribute(const Safetensors& file, const std::string& path,
                                        const std::string& name, const std::string& place) {
  std::vector<std::string> list;
  for (const nlohmann::json& value : attribute(file, path, name, place)) {
    if (value.is_string()) list.push_back(value.get<std::string>());
  }
  return list;
}

/// Groups and datasets by name. An ordered map puts vars/10 before vars/2; no layer has so many.
struct Node {
  std::map<std::string, Node> members;
  bool is_tensor = false;
};

Node tree_of(const Safetensors& file, const std::string& place) {
  constexpr int kMaxDepth = 64;
  Node root;
  const auto at = [&](const std::string& path) {
    Node* node = &root;
    int depth = 0;
    for (std::size_t begin = 0; begin <= path.size(); ++depth) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      // HDF5 itself has no such paths; whoever read it may have been made to say anything.
      if (end == begin || depth == kMaxDepth) {
        throw user_error("keras", "{}: '{}' is no path", place, one_line(path));
      }
      node = &node->members[path.substr(begin, end - begin)];
      begin = end + 1;
    }
    return node;
  };
  for (const Safetensors::Tensor& tensor : file.tensors()) at(tensor.name)->is_tensor = true;
  // Layers without weights are groups with a name.
  for (const auto& [key, value] : file.metadata()) {
    if (key.ends_with("/vars@name")) at(key.substr(0, key.size() - 5));
  }
  return root;
}

/// A nested model's layers are its outer model's too.
void add_to_outer(const StoredModel& nested, StoredModel& model) {
  for (StoredLayer layer : nested.layers) {
    layer.key = nested.key + "/" + layer.key;
    model.layers.push_back(std::move(layer));
  }
}

/// Keras's containers of layers; the second is that of versions 2.12 and 2.13.
const Node* layers_of(const Node& node) {
  for (const char* name : {"layers", "_layer_checkpoint_dependencies"}) {
    const auto found = node.members.find(name);
    if (found != node.members.end()) return &found->second;
  }
  return nullptr;
}

/// "conv2d_10" comes after "conv2d_9".
auto natural(const std::string& key) {
  const std::size_t end = key.find_last_not_of("0123456789") + 1;
  const std::string digits = key.substr(end);
  const bool number = !digits.empty() && digits.size() < 9 && end > 0 && key[end - 1] == '_';
  return std::tuple(number ? key.substr(0, end - 1) : key, number ? std::stoi(digits) : 0);
}

class Keras3 {
 public:
  Keras3(const Safetensors& file, const std::string& place) : file_(file), place_(place) {}

  StoredModel read() {
    const Node root = tree_of(file_, place_);
    StoredModel model;
    model.name = name_of("");
    visit(root, "", model, model);
    sort(model);
    for (StoredModel& nested : model.models) sort(nested);
    return model;
  }

 private:
  std::string name_of(const std::string& prefix) const {
    return text_attribute(file_, prefix + "vars", "name", place_);
  }

  /// `prefix` is empty or ends in a slash. A subclassed model has its layers, and lists of them,
  /// under the names of its members.
  void visit(const Node& node, const std::string& prefix, StoredModel& model, StoredModel& root) {
    for (const auto& [key, member] : node.members) {
      if (key == "vars" || member.is_tensor) continue;
      const std::string path = prefix + key + "/";
      if (layers_of(member) != nullptr) {
        StoredModel nested;
        nested.key = key;
        nested.name = name_of(path);
        visit(member, path, nested, root);
        add_to_outer(nested, model);
        root.models.push_back(std::move(nested));
        continue;
      }
      const auto vars = member.members.find("vars");
      if (vars != member.members.end()) {
        StoredLayer layer{key, name_of(path), {}};
        for (const auto& [index, tensor] : vars->second.members) {
          if (tensor.is_tensor) layer.weights.push_back(path + "vars/" + index);
        }
        if (!layer.weights.empty()) layer.rank = file_.find(layer.weights.front())->shape.size();
        model.layers.push_back(std::move(layer));
      } else {
        visit(member, path, model, root);
      }
    }
  }

  /// A file of weights alone does not say in which order layers of different classes follow. In the
  /// lab's models convolutions come first.
  static void sort(StoredModel& model) {
    std::stable_sort(model.layers.begin(), model.layers.end(),
                     [](const StoredLayer& a, const StoredLayer& b) {
                       if (a.rank != b.rank) return a.rank > b.rank;
                       return natural(a.key) < natural(b.key);
                     });
  }

  const Safetensors& file_;
  const std::string& place_;
};

/// "sequential/conv1.1/kernel" is of "sequential/conv1.1", "conv1.1/kernel:0" of "conv1.1".
std::string layer_of(const std::string& weight) {
  const std::size_t end = weight.rfind('/');
  return end == std::string::npos ? "" : weight.substr(0, end);
}

class Legacy {
 public:
  Legacy(const Safetensors& file, const std::string& place) : file_(file), place_(place) {
    for (const Safetensors::Tensor& tensor : file.tensors()) {
      ranks_.emplace(tensor.name, tensor.shape.size());
    }
  }

  StoredModel read(const std::string& root) const {
    StoredModel model;
    model.legacy = true;
    const std::string prefix = root.empty() ? "" : root + "/";
    std::set<std::string> names;
    for (const std::string& name : list_attribute(file_, root, "layer_names", place_)) {
      if (!names.insert(name).second) {
        throw user_error("keras", "{}: layer '{}' is listed twice", place_, one_line(name));
      }
      std::vector<StoredLayer> layers = layers_in(prefix + name, name);
      // A nested model has one group for all its layers.
      if (layers.size() > 1) {
        model.models.push_back({name, name, std::move(layers), {}, true});
        add_to_outer(model.models.back(), model);
      } else if (layers.empty()) {
        model.layers.push_back({name, name, {}});
      } else {
        layers.front().key = layers.front().name = name;
        model.layers.push_back(std::move(layers.front()));
      }
    }
    return model;
  }

 private:
  std::vector<StoredLayer> layers_in(const std::string& group, const std::string& name) const {
    std::vector<StoredLayer> layers;
    std::map<std::string, std::size_t> index;
    for (const std::string& weight : list_attribute(file_, group, "weight_names", place_)) {
      const std::string tensor = group + "/" + weight;
      if (file_.metadata().count(tensor + "@type") > 0) continue;  // a dropout's counter
      const auto rank = ranks_.find(tensor);
      if (rank == ranks_.end()) {
        throw user_error("keras", "{}: layer '{}' lists the weights '{}', which are not there",
                         place_, one_line(name), one_line(weight));
      }
      const std::string layer = layer_of(weight);
      if (index.emplace(layer, layers.size()).second) {
        layers.push_back({layer, layer, {}, rank->second});
      }
      layers[index[layer]].weights.push_back(tensor);
    }
    return layers;
  }

  const Safetensors& file_;
  const std::string& place_;
  std::map<std::string, std::size_t> ranks_;
};

}  // namespace

StoredModel find_stored(const Safetensors& file, const std::string& place) {
  for (const char* root : {"model_weights", ""}) {
    if (file.metadata().count(std::string(root) + "@layer_names") > 0) {
      return Legacy(file, place).read(root);
    }
  }
  return Keras3(file, place).read();
}

}  // namespace sluice
