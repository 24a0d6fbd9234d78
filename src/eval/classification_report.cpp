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

}  // namespace sluice
