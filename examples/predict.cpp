// Predicts the classes of pictures from four threads that share one Predictor.
//
//   predict RUN PICTURE...        predict runs/lab samples/*/*.png

#include <cmath>
#include <iostream>
#include <string>
#include <thread>

#include "sluice/predictor.h"

using namespace sluice;

namespace {

constexpr std::size_t kThreads = 4;

/// Returns for example "cat, 57%, by expert-natural", or the error.
std::string answer(const Predictor& predictor, const std::filesystem::path& file) try {
  const Image image = read_image(file);  // of any size, from a file or elsewhere
  const Prediction prediction = predictor.predict({&image, 1}).front();
  if (prediction.best < 0) return "no prediction";
  std::string text = predictor.class_names()[prediction.best] + ", " +
                     std::to_string(std::lround(100 * prediction.scores[prediction.best])) +
                     "%, by ";
  if (!prediction.route) return text + predictor.name();
  return text + "expert-" + predictor.groups()[prediction.route->group].name;
} catch (const std::exception& error) {
  return error.what();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) throw std::invalid_argument("predict RUN PICTURE...");
  const std::vector<std::filesystem::path> files(argv + 2, argv + argc);
  const Predictor predictor(argv[1], {.batch = 1});
  std::vector<std::string> answers(files.size());
  std::vector<std::jthread> threads;
  for (std::size_t first = 0; first < kThreads; ++first) {
    threads.emplace_back([&, first] {
      for (std::size_t i = first; i < files.size(); i += kThreads) {
        answers[i] = answer(predictor, files[i]);
      }
    });
  }
  threads.clear();  // waits for them
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::cout << files[i].string() << ": " << answers[i] << '\n';
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
