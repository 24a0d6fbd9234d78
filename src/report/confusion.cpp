#include "report/confusion.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

constexpr std::size_t kRecallWidth = 8;

std::string recall_text(const ConfusionMatrix& confusion, int truth) {
  return confusion.support(truth) == 0 ? "-" : percent(recall(confusion, truth));
}

std::string name_of(const ConfusionMatrix& confusion, int label) {
  return printable(confusion.class_names()[label]);
}

/// Formats the accuracy and, if there is more than one kind of mistake, the most confused pairs.
std::string accuracy_line(const ConfusionMatrix& confusion, const std::vector<int>& labels,
                          std::size_t pairs) {
  std::int64_t right_ones = 0;
  for (const int label : labels) right_ones += confusion.count(label, label);
  std::string line = fmt::format("Accuracy {} ({} of {})", percent(confusion.accuracy()),
                                 with_commas(right_ones), images(confusion.total()));
  if (labels.size() <= 2) return line + ".\n";
  std::string out;
  const char* before = "; most confused:";
  for (const auto& [truth, prediction, count] : most_confused(confusion, pairs)) {
    line += before;
    const std::string pair =
        fmt::format(" {} -> {} {}", cut(name_of(confusion, truth), 30),
                    cut(name_of(confusion, prediction), 30), with_commas(count));
    // The 1 is for the comma or full stop; a pair stays on one line.
    if (display_width(line + pair) + 1 > kTextWidth) {
      out += line + "\n";
      line = " ";
    }
    line += pair;
    before = ",";
  }
  return out + line + ".\n";
}

/// Cuts names to `width`: keeps their ends if their beginnings are equal ("class_01", "class_02").
/// Adds no ellipsis: in such a narrow column it would take a fifth of the name.
std::vector<std::string> column_heads(const std::vector<std::string>& names, std::size_t width) {
  std::vector<std::string> beginnings;
  std::vector<std::string> endings;
  for (const std::string& name : names) {
    beginnings.emplace_back(head(name, width));
    endings.emplace_back(tail(name, width));
  }
  const std::set<std::string> different(beginnings.begin(), beginnings.end());
  return different.size() == names.size() ? beginnings : endings;
}

/// Formats the whole matrix; empty if it is wider than a terminal.
std::string matrix(const ConfusionMatrix& confusion, const std::vector<int>& labels,
                   const std::vector<std::string>& names, std::size_t name_width) {
  std::size_t narrowest = 4;
  std::size_t widest = 6;
  for (const int truth : labels) {
    for (const int prediction : labels) {
      narrowest =
          std::max(narrowest, fmt::formatted_size("{}", confusion.count(truth, prediction)));
    }
  }
  for (const std::string& name : names) widest = std::max(widest, display_width(name));
  const std::size_t room = kTextWidth - name_width - kRecallWidth;
  const std::size_t column = std::min(room / labels.size(), std::min<std::size_t>(widest, 12) + 1);
  if (column < narrowest + 1) return {};

  std::string out = left("true", name_width);
  for (const std::string& head : column_heads(names, column - 1)) out += right(head, column);
  out += right("recall", kRecallWidth) + "\n";
  for (std::size_t row = 0; row < labels.size(); ++row) {
    out += left(names[row], name_width);
    for (const int prediction : labels) {
      out += fmt::format("{:>{}}", confusion.count(labels[row], prediction), column);
    }
    out += right(recall_text(confusion, labels[row]), kRecallWidth) + "\n";
  }
  return left("", name_width + column - 1 - std::min<std::size_t>(column - 1, 5)) +
         "predicted as\n" + out;
}

}  // namespace

std::vector<int> seen_classes(const ConfusionMatrix& confusion) {
  std::vector<int> seen;
  for (int label = 0; label < confusion.classes(); ++label) {
    std::int64_t count = confusion.support(label);
    for (int truth = 0; truth < confusion.classes(); ++truth)
      count += confusion.count(truth, label);
    if (count > 0) seen.push_back(label);
  }
  return seen;
}

double recall(const ConfusionMatrix& confusion, int truth) {
  const std::int64_t support = confusion.support(truth);
  return support == 0
             ? 0
             : static_cast<double>(confusion.count(truth, truth)) / static_cast<double>(support);
}

std::vector<ConfusedPair> most_confused(const ConfusionMatrix& confusion, std::size_t at_most) {
  std::vector<ConfusedPair> pairs;
  for (int truth = 0; truth < confusion.classes(); ++truth) {
    for (int prediction = 0; prediction < confusion.classes(); ++prediction) {
      const std::int64_t count = confusion.count(truth, prediction);
      if (truth != prediction && count > 0) pairs.push_back({truth, prediction, count});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const ConfusedPair& a, const ConfusedPair& b) { return a.count > b.count; });
  if (pairs.size() > at_most) pairs.resize(at_most);
  return pairs;
}

std::string confusion_text(const ConfusionMatrix& confusion) {
  const std::vector<int> labels = seen_classes(confusion);
  if (labels.empty()) return "There are no images for a confusion matrix.\n";
  std::vector<std::string> names;
  std::size_t name_width = 4;
  for (const int label : labels) {
    names.push_back(name_of(confusion, label));
    name_width = std::max(name_width, display_width(names.back()));
  }
  name_width = std::min<std::size_t>(name_width, 14);

  std::string out = matrix(confusion, labels, names, name_width);
  const bool fits = !out.empty();
  if (!fits) {
    out = fmt::format("{} classes: the matrix is too wide to print; the recall of each class:\n",
                      labels.size());
    for (std::size_t row = 0; row < labels.size(); ++row) {
      const int truth = labels[row];
      out +=
          fmt::format("{} {:>8}  {} of {}\n", left(names[row], 40), recall_text(confusion, truth),
                      confusion.count(truth, truth), confusion.support(truth));
    }
  }

  out += accuracy_line(confusion, labels, fits ? 3 : 10);
  const ClassBalance balance = class_balance(confusion);
  if (!balance.is_uneven) return out;
  return out + wrapped(fmt::format("The classes are uneven: {}.", balance_in_words(balance)));
}

}  // namespace sluice
