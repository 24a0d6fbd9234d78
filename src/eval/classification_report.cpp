#include <fmt/format.h>

#include <algorithm>

#include "sluice/evaluation.h"

namespace sluice {

namespace {

double ratio(double part, double whole) {
  return whole == 0 ? 0 : part / whole;
}

void add(ClassificationReport::Row& sum, const ClassificationReport::Row& row, double weight) {
  sum.precision += weight * row.precision;
  sum.recall += weight * row.recall;
  sum.f1 += weight * row.f1;
  sum.support += row.support;
}

}  // namespace

ClassificationReport classification_report(const ConfusionMatrix& confusion) {
  ClassificationReport report;
  const auto total = static_cast<double>(confusion.total());
  for (int label = 0; label < confusion.classes(); ++label) {
    std::int64_t called = 0;
    for (int truth = 0; truth < confusion.classes(); ++truth) {
      called += confusion.count(truth, label);
    }
    ClassificationReport::Row row;
    const auto right = static_cast<double>(confusion.count(label, label));
    row.support = confusion.support(label);
    row.precision = ratio(right, static_cast<double>(called));
    row.recall = ratio(right, static_cast<double>(row.support));
    row.f1 = ratio(2 * right, static_cast<double>(called + row.support));
    report.classes.push_back(row);
    add(report.macro, row, 1.0 / confusion.classes());
    add(report.weighted, row, ratio(static_cast<double>(row.support), total));
  }
  return report;
}

ClassBalance class_balance(const ConfusionMatrix& confusion) {
  constexpr double kUneven = 1.5;
  const ClassificationReport report = classification_report(confusion);
  ClassBalance balance;
  double recalls = 0;
  double f1 = 0;
  std::int64_t largest = 0;
  int seen = 0;
  for (const ClassificationReport::Row& row : report.classes) {
    recalls += row.recall;
    f1 += row.f1;
    largest = std::max(largest, row.support);
    seen += row.support > 0;
  }
  balance.balanced_accuracy = ratio(recalls, seen);
  balance.macro_f1 = ratio(f1, seen);
  balance.largest_share =
      ratio(static_cast<double>(largest), static_cast<double>(confusion.total()));
  balance.is_uneven = seen > 1 && balance.largest_share * seen >= kUneven;
  return balance;
}

std::string balance_in_words(const ClassBalance& balance) {
  return fmt::format(
      "balanced accuracy {:.1f}%, macro F1 {:.3f}; the largest class has {:.1f}% of the images",
      100 * balance.balanced_accuracy, balance.macro_f1, 100 * balance.largest_share);
}

}  // namespace sluice
