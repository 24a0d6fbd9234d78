#include "run/frontier_json.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int kFrontierFormat = 1;

const char* word_of(FrontierPoint::Kind kind) {
  switch (kind) {
    case FrontierPoint::Kind::mixture:
      return "mixture";
    case FrontierPoint::Kind::dense:
      return "dense";
    case FrontierPoint::Kind::share:
      return "share";
    case FrontierPoint::Kind::random:
      return "random";
  }
  return "";
}

OrderedJson point_json(const FrontierPoint& point, const std::vector<std::uint64_t>& seeds) {
  OrderedJson by_seed = OrderedJson::array();
  for (std::size_t s = 0; s < point.seeds.size(); ++s) {
    const FrontierPoint::Seed& seed = point.seeds[s];
    by_seed.push_back({{"seed", seeds[s]},
                       {"validation_accuracy", seed.validation},
                       {"test_accuracy", seed.test()},
                       {"test_flops_per_image", seed.flops},
                       {"latency_ms", seed.latency_ms}});
  }
  OrderedJson json{{"kind", word_of(point.kind)}, {"name", point.words}};
  if (point.kind == FrontierPoint::Kind::dense) {
    json["width"] = point.width;
    json["work"] = point.work;
    json["views"] = point.views;
  }
  json["epochs"] = point.epochs;
  json["flops_per_image"] = point.flops;
  json["training_flops"] = point.training_flops;
  json["validation_accuracy"] = point.validation();
  json["test_accuracy"] = point.test();
  json["test_flops_per_image"] = point.test_flops();
  json["latency_ms"] = point.latency_ms();
  json["seeds"] = std::move(by_seed);
  return json;
}

OrderedJson difference_json(const FrontierDifference& found) {
  OrderedJson by_seed = OrderedJson::array();
  for (const PairedComparison& seed : found.by_seed) {
    by_seed.push_back({{"accuracy", seed.difference},
                       {"accuracy_95", {seed.interval.low, seed.interval.high}},
                       {"p_value", seed.p_value}});
  }
  return {{"accuracy", found.difference},
          {"accuracy_95", {found.interval.low, found.interval.high}},
          {"p_value", found.p_value},
          {"standard_error", found.standard_error},
          {"seeds_with_its_sign", found.same_sign()},
          {"seeds", std::move(by_seed)}};
}

}  // namespace

OrderedJson to_json(const Frontier& frontier) {
  OrderedJson json{{"format", kFrontierFormat},
                   {"name", frontier.name},
                   {"data", frontier.data_name},
                   {"test_images", frontier.test_images},
                   {"sentence", sentence(frontier.points, frontier.verdict)}};
  const FrontierVerdict& verdict = frontier.verdict;
  json["rival"] = verdict.rival < 0
                      ? OrderedJson()
                      : OrderedJson(frontier.points[static_cast<std::size_t>(verdict.rival)].words);
  if (verdict.over_rival) json["mixture_over_rival"] = difference_json(*verdict.over_rival);
  if (verdict.over_random) json["mixture_over_random"] = difference_json(*verdict.over_random);
  json["dense_flops_for_the_same"] =
      verdict.dense_flops ? OrderedJson(*verdict.dense_flops) : OrderedJson();
  json["points"] = OrderedJson::array();
  for (const FrontierPoint& point : frontier.points) {
    json["points"].push_back(point_json(point, frontier.seeds));
  }
  return json;
}

}  // namespace sluice
