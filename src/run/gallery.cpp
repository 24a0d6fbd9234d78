#include <fmt/format.h>
#include <openssl/evp.h>

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

std::string gallery_json(const Answers& answers, const Examples& examples) {
  OrderedJson gallery = OrderedJson::array();
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
  return json_text(gallery);
}

}  // namespace sluice
