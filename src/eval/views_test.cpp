#include "eval/views.h"

#include <gmock/gmock.h>

#include "sluice/lab/models.h"
#include "sluice/lab/verdict.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

/// Moves an image's content by `shift` pixels along both axes, with reflected edges, and mirrors
/// it.
std::vector<std::uint8_t> view_of(std::span<const std::uint8_t> image, int side, int shift,
                                  bool mirrored) {
  const auto inside = [&](int place) {
    return place < 0 ? -place : place >= side ? 2 * side - 2 - place : place;
  };
  std::vector<std::uint8_t> out;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const int from = inside((mirrored ? side - 1 - x : x) - shift);
      for (int c = 0; c < 3; ++c) out.push_back(image[3 * (inside(y - shift) * side + from) + c]);
    }
  }
  return out;
}

class ViewsTest : public testing::Test {
 protected:
  static constexpr int kSide = 8;

  ViewsTest() {
    weights_.initialize(3, 1);
    // Larger weights than the initial ones, so that views differ.
    for (float& weight : weights_.values()) weight *= 1.3f;
    compiled_ = compile_for_inference(model_, weights_, {.batch = 4});
  }

  /// Logits of each image in one view, from the logarithm of the outputs.
  std::vector<double> logits(int shift, bool mirrored) {
    std::vector<float> images;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      for (const std::uint8_t p : view_of(images_.image(i), kSide, shift, mirrored)) {
        images.push_back(static_cast<float>(p) / 255.f);
      }
    }
    std::vector<double> all;
    const std::size_t image = kSide * kSide * 3;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      for (const float p : compiled_->predict(std::span(images).subspan(i * image, image), 1)) {
        all.push_back(std::log(double(p)));
      }
    }
    return all;
  }

  /// Mean cross-entropy of the softmax of weighted logits.
  double loss_of(const std::vector<double>& scores) const {
    double loss = 0;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      double sum = 0;
      for (int c = 0; c < kClasses; ++c) sum += std::exp(scores[i * kClasses + c]);
      loss += std::log(sum) - scores[i * kClasses + images_.labels[i]];
    }
    return loss / static_cast<double>(images_.size());
  }

  LabelledImages images_ = random_set(10, 1, {kSide, kSide, 3});
  Examples examples_{images_, kNames};
  Sequential model_ = cnn("cnn", {kSide, kSide, 3}, kClasses, CnnSize::small);
  Weights weights_{model_};
  std::unique_ptr<CompiledModel> compiled_;
};

TEST_F(ViewsTest, LogitsAreMeansOverTheViews) {
  std::vector<double> mirror(images_.size() * kClasses, 0);
  std::vector<double> six = mirror;
  const auto add = [](std::vector<double>& to, const std::vector<double>& values, double weight) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += weight * values[i];
  };
  for (const bool mirrored : {false, true}) {
    add(mirror, logits(0, mirrored), 0.5);
    add(six, logits(0, mirrored), 0.25);
    add(six, logits(1, mirrored), 0.125);
    add(six, logits(-1, mirrored), 0.125);
  }
  const double plain = evaluate(*compiled_, examples_).loss;
  EXPECT_NEAR(plain, loss_of(logits(0, false)), 1e-5);
  EXPECT_NEAR(evaluate(*compiled_, examples_, Views::mirror).loss, loss_of(mirror), 1e-5);
  EXPECT_NEAR(evaluate(*compiled_, examples_, Views::mirror_shift).loss, loss_of(six), 1e-5);
  EXPECT_GT(std::abs(plain - loss_of(mirror)), 1e-4);
  EXPECT_GT(std::abs(loss_of(six) - loss_of(mirror)), 1e-4);
  for (const Views views : kAllViews) {
    const Answers answers = ask_alone(model_, weights_, examples_, {.batch = 4}, views);
    EXPECT_NEAR(calibration(answers.frozen, images_.labels).log_loss,
                evaluate(*compiled_, examples_, views).loss, 1e-5);
  }
}

TEST_F(ViewsTest, OutputsSumToOneAndSymmetricImagesChangeNothing) {
  ViewPredictor predictor(*compiled_, examples_, Views::mirror_shift);
  const std::span<const float> outputs = predictor.predict(3, 4);
  ASSERT_EQ(outputs.size(), 4u * kClasses);
  for (int row = 0; row < 4; ++row) {
    double sum = 0;
    for (const float p : outputs.subspan(row * kClasses, kClasses)) sum += p;
    EXPECT_NEAR(sum, 1, 1e-6);
  }
  images_.pixels.assign(images_.pixels.size(), 77);
  EXPECT_NEAR(evaluate(*compiled_, examples_, Views::mirror_shift).loss,
              evaluate(*compiled_, examples_).loss, 1e-5);
}

}  // namespace
}  // namespace sluice
