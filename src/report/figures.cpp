#include "base/fail.h"
#include "report/gnuplot.h"
#include "report/plots.h"
#include "sluice/lab/report.h"

namespace sluice {

Figures::Figures(std::filesystem::path folder)
    : folder_(std::move(folder)), available_(find_gnuplot().has_value()) {}

void Figures::learning_curves(const std::string& name, const std::string& title,
                              const History& history) const {
  if (available_) draw(name, curves_plot(title, history));
}

void Figures::confusion(const std::string& name, const std::string& title,
                        const ConfusionMatrix& confusion) const {
  if (available_) draw(name, confusion_plot(title, confusion));
}

void Figures::distribution(const std::string& name, const std::string& title, const Examples& train,
                           const Examples& test) const {
  if (available_) draw(name, distribution_plot(title, train, test));
}

void Figures::sample_images(const std::string& name, const std::string& title,
                            const Examples& examples) const {
  if (available_) draw(name, samples_plot(title, examples));
}

void Figures::augmentation(const std::string& name, const std::string& title,
                           const Examples& examples, const Augmentation& options,
                           std::uint64_t seed, std::uint32_t stage) const {
  if (available_) draw(name, augmentation_plot(title, examples, options, seed, stage));
}

void Figures::frontier(const std::string& name, const Frontier& frontier) const {
  if (available_) draw(name, frontier_plot(frontier));
}

void Figures::draw(const std::string& name, const std::string& script) const {
  const auto gnuplot = find_gnuplot();
  if (!gnuplot)
    throw machine_error("gnuplot", "gnuplot was on the PATH when the run began, but is not now");
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) throw machine_error("gnuplot", "{}: {}", folder_.string(), error.message());
  run_gnuplot(*gnuplot, script, folder_ / (name + ".png"));
}

}  // namespace sluice
