#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "sluice/predictor.h"

namespace sluice::cli {

/// Text for people, a line of JSON for each picture, or a table of comma-separated values.
enum class PredictionFormat { text, json, csv };

/// Prints the predictions of a predictor, which must outlive it.
class PredictionPrinter {
 public:
  PredictionPrinter(const Predictor& predictor, PredictionFormat format);

  /// Prints what stands before all pictures: the table's row of headings.
  void print_head() const;
  void print(const std::filesystem::path& file, const Prediction& prediction) const;

 private:
  void print_classes(const std::string& model, std::span<const float> scores) const;
  void print_text(const std::filesystem::path& file, const Prediction& prediction) const;
  void print_json(const std::filesystem::path& file, const Prediction& prediction) const;
  void print_csv(const std::filesystem::path& file, const Prediction& prediction) const;

  const Predictor& predictor_;
  PredictionFormat format_;
};

}  // namespace sluice::cli
