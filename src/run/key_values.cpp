#include "run/key_values.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace sluice {

namespace {

/// Stores a value, or returns what it must be if it is not allowed.
struct Store {
  const toml::node& node;

  std::string operator()(const Key::Name& key) const {
    const auto text = node.value_exact<std::string>();
    if (!text || !is_plain_name(*text)) return "must be of letters, digits, _ and - (at most 64)";
    *key.value = *text;
    return {};
  }
  std::string operator()(const Key::Choice& key) const {
    const auto text = node.value_exact<std::string>();
    if (!text || std::find(key.words.begin(), key.words.end(), *text) == key.words.end()) {
      return fmt::format("must be \"{}\"", fmt::join(key.words, "\" or \""));
    }
    *key.value = *text;
    return {};
  }
  std::string operator()(const Key::Count& key) const {
    const auto number = node.value_exact<std::int64_t>();
    if (!number) return "must be a whole number";
    if (*number < key.least || *number > key.most) {
      return fmt::format("must be between {} and {}", key.least, key.most);
    }
    *key.value = static_cast<int>(*number);
    return {};
  }
  std::string operator()(const Key::Size& key) const {
    constexpr std::int64_t kLeast = 8;
    constexpr std::int64_t kMost = 1024;
    const toml::array* pair = node.as_array();
    if (pair != nullptr && pair->size() != 2) return "must be [height, width]";
    const auto side = [&](std::size_t i) {
      return (pair != nullptr ? *pair->get(i) : node).value_exact<std::int64_t>();
    };
    const auto height = side(0);
    const auto width = side(1);
    const auto sound = [](const std::optional<std::int64_t>& size) {
      return size && *size >= kLeast && *size <= kMost;
    };
    if (!sound(height) || !sound(width)) {
      return fmt::format(
          "must be whole numbers of pixels from {} to {}: a side, or [height, width]", kLeast,
          kMost);
    }
    *key.height = static_cast<int>(*height);
    *key.width = static_cast<int>(*width);
    return {};
  }
  std::string operator()(const Key::Channels& key) const {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || (*number != 1 && *number != 3)) return "must be 3 (colour) or 1 (grey)";
    *key.value = static_cast<int>(*number);
    return {};
  }
  std::string operator()(const Key::Flag& key) const {
    const auto flag = node.value_exact<bool>();
    if (!flag) return "must be true or false";
    *key.value = *flag;
    return {};
  }
  std::string operator()(const Key::Seed& key) const {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < 0) return "must be a whole number from 0 to 2^63 - 1";
    *key.value = static_cast<std::uint64_t>(*number);
    return {};
  }
  std::string operator()(const Key::Real& key) const {
    const auto number = node.is_number() ? node.value<double>() : std::nullopt;
    if (!number) return "must be a number, like 0.001";
    if (!key.allowed(*number)) return fmt::format("must be {}", key.in_words);
    *key.value = *number;
    return {};
  }
  std::string operator()(const Key::Reals& key) const {
    const toml::array* list = node.as_array();
    if (list == nullptr) return "must be a list of numbers, like [0.5, 0.75]";
    std::vector<double> values;
    for (const toml::node& element : *list) {
      double value = 0;
      const std::string mend = Store{element}(Key::Real{&value, key.allowed, key.in_words});
      if (!mend.empty()) return "each number " + mend;
      values.push_back(value);
    }
    *key.values = std::move(values);
    return {};
  }
  std::string operator()(const Key::Place& key) const {
    const auto text = node.value_exact<std::string>();
    if (!text || text->find_first_of("\n\r") != std::string::npos)
      return "must be a file or a folder";
    *key.value = *text;
    return {};
  }
  std::string operator()(const Key::Words& key) const {
    const toml::array* list = node.as_array();
    std::vector<std::string> values;
    for (const toml::node& element : list != nullptr ? *list : toml::array()) {
      if (const auto text = element.value_exact<std::string>()) values.push_back(*text);
    }
    if (list == nullptr || values.size() != list->size()) {
      return fmt::format("must be a list of names, like {}", key.like);
    }
    *key.values = std::move(values);
    return {};
  }
  std::string operator()(const Key::Weights& key) const {
    const auto word = node.value_exact<std::string>();
    const toml::table* table = node.as_table();
    if (table == nullptr && word != "none" && word != "balanced") {
      return "must be \"none\", \"balanced\" or a table of classes, like {cat = 2.0}";
    }
    ClassWeights weights{.balanced = word == "balanced"};
    for (const auto& [name, element] : table != nullptr ? *table : toml::table()) {
      const auto allowed = [](double x) { return x >= 0 && x <= 1e6; };
      const std::string mend = Store{element}(
          Key::Real{&weights.of[std::string(name.str())], allowed, "between 0 and 1000000"});
      if (!mend.empty()) return "each weight " + mend;
    }
    *key.value = std::move(weights);
    return {};
  }
};

}  // namespace

std::string store(const toml::node& node, const Key& key) {
  return std::visit(Store{node}, key.what);
}

}  // namespace sluice
