#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "data/image_codecs.h"
#include "eval/outputs.h"
#include "formats/text/json_text.h"
#include "run/explanation.h"
#include "sluice/lab/run_folder.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int kMostOfAKind = 12;

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// Rounds to four significant digits, which are enough for bars. Importances are small, so decimal
/// places would not do.
OrderedJson rounded(std::span<const float> values) {
  OrderedJson json = OrderedJson::array();
  for (const float value : values) json.push_back(OrderedJson::parse(fmt::format("{:.4g}", value)));
  return json;
}

OrderedJson pairs(std::span<const float> values) {
  OrderedJson json = OrderedJson::array();
  for (std::size_t i = 0; i < values.size(); i += 2) json.push_back(rounded(values.subspan(i, 2)));
  return json;
}

std::string png_of(const Examples& examples, std::size_t example) {
  constexpr int kMostSide = 128;  // twice that of the page, for sharp displays
  const PixelView pixels = examples.pixels(example);
  Image picture = picture_of(pixels, examples.shape());
  const int longer = std::max(picture.height, picture.width);
  if (longer > kMostSide) {
    const auto less = [&](int side) { return std::max(1, side * kMostSide / longer); };
    picture = resized(picture, less(picture.height), less(picture.width));
  }
  return base64(encode_png(picture.pixels, picture.height, picture.width));
}

}  // namespace

OrderedJson explanation_json(const Answers& answers, const Examples& examples, std::size_t i) {
  const std::size_t classes = answers.classes();
  const std::size_t groups = answers.group_names.size();
  const int group = answers.chosen_group(i);
  const auto own = [&](const std::vector<float>& all, std::size_t width) {
    return std::span(all).subspan(i * width, width);
  };
  return {{"group", group},
          {"gate", rounded(own(answers.gate, groups))},
          {"frozen", rounded(own(answers.frozen, classes))},
          {"expert", rounded(own(answers.experts[group], classes))},
          {"importance", pairs(own(answers.importances[group], 2 * classes))},
          {"mixture", rounded(answers.scores(i, group))},
          {"png", png_of(examples, i)}};
}

namespace {

/// An example that a classifier gets wrong.
struct Mistake {
  std::size_t example;
  int predicted;
  float probability;  ///< of the predicted class
  int rank = 0;       ///< among those of its class, the most probable first
};

/// Returns the mistakes in which a classifier believes most: up to three of each class, and if that
/// is more than a page can show, the worst of each class first. They are sorted by class.
std::vector<Mistake> worst_mistakes(const Answers& answers, const std::vector<float>& scores) {
  constexpr int kMostOfAClass = 3;
  constexpr std::size_t kMost = 120;
  const std::size_t classes = answers.classes();
  std::vector<Mistake> mistakes;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto own = std::span(scores).subspan(i * classes, classes);
    const int predicted = predicted_class(own);
    if (predicted == answers.truth[i]) continue;
    const float sum = std::accumulate(own.begin(), own.end(), 0.f);
    mistakes.push_back({i, predicted, sum > 0 ? own[predicted] / sum : 0});
  }
  std::ranges::stable_sort(mistakes, std::greater(), &Mistake::probability);
  std::vector<int> ranks(classes);
  for (Mistake& each : mistakes) each.rank = ranks[answers.truth[each.example]]++;
  std::erase_if(mistakes, [](const Mistake& each) { return each.rank >= kMostOfAClass; });
  std::ranges::stable_sort(mistakes, {}, &Mistake::rank);
  mistakes.resize(std::min(mistakes.size(), kMost));
  std::ranges::stable_sort(mistakes, {},
                           [&](const Mistake& each) { return answers.truth[each.example]; });
  return mistakes;
}

void add_mistakes(const Answers& answers, const Examples& examples, OrderedJson& gallery) {
  const bool is_mixture = !answers.group_names.empty();
  for (const Mistake& each :
       worst_mistakes(answers, is_mixture ? answers.mixture() : answers.frozen)) {
    OrderedJson item{{"kind", "mistake"},
                     {"image", each.example},
                     {"truth", answers.truth[each.example]},
                     {"predicted", each.predicted},
                     {"probability", rounded(std::span(&each.probability, 1)).front()}};
    if (!answers.file(each.example).empty()) item["file"] = answers.file(each.example);
    item["png"] = png_of(examples, each.example);
    gallery.push_back(std::move(item));
  }
}

/// Adds images that the mixture fixed or broke.
void add_changes(const Answers& answers, const Examples& examples, OrderedJson& gallery) {
  const auto add = [&](std::size_t i, const char* kind) {
    OrderedJson item{{"kind", kind},
                     {"image", i},
                     {"truth", answers.truth[i]},
                     {"true_group", answers.true_group(i)}};
    if (!answers.file(i).empty()) item["file"] = answers.file(i);
    item.update(explanation_json(answers, examples, i));
    gallery.push_back(std::move(item));
  };
  int fixed = 0;
  int broken = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::span<const float> frozen =
        std::span(answers.frozen).subspan(i * answers.classes(), answers.classes());
    const int truth = answers.truth[i];
    const bool before = predicted_class(frozen) == truth;
    const bool after = predicted_class(answers.scores(i, answers.chosen_group(i))) == truth;
    if (after && !before && fixed++ < kMostOfAKind) add(i, "fixed");
    if (before && !after && broken++ < kMostOfAKind) add(i, "broken");
  }
}

}  // namespace

std::string gallery_json(const Answers& answers, const Examples& examples) {
  OrderedJson gallery = OrderedJson::array();
  if (!answers.group_names.empty()) add_changes(answers, examples, gallery);
  add_mistakes(answers, examples, gallery);
  return json_text(gallery);
}

}  // namespace sluice
