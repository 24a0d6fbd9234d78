#include <gmock/gmock.h>

#include "sluice/error.h"
#include "sluice/model_file.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

SavedModel routed_model() {
  Sequential model{"net", {4}};
  const auto expert = [](const std::string& name) {
    return Sequential{name, {}, {Dense{"dense", 3}}};
  };
  model.layers = {
      Dense{"gate", 2},
      MixtureOfExperts{.name = "experts", .experts = {expert("a"), expert("b")}, .bias_rate = 0.1},
      Dense{"first", 3}, Cascade{.name = "cascade", .experts = {expert("c")}}};
  model.inputs = {{"experts", {"images", "gate"}}, {"cascade", {"experts", "first"}}};
  return {model, Weights(model), {"x", "y", "z"}};
}

std::string refusal_of(AnyModel model, const Routing& routing) {
  try {
    set_routing(model, routing);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::user);
    return error.what();
  }
  return "";
}

TEST(SetRouting, ChangesTheExpertsAndTheShareThatAnImageGets) {
  AnyModel model = routed_model();
  set_routing(model, {.experts = 2, .share = 0.5});
  const std::vector<Layer>& layers = std::get<SavedModel>(model).model.layers;
  EXPECT_EQ(std::get<MixtureOfExperts>(layers[1]).top_k, 2);
  EXPECT_EQ(std::get<Cascade>(layers[3]).share, 0.5);
  set_routing(model, {});
  EXPECT_EQ(std::get<Cascade>(layers[3]).share, 0.5);
}

TEST(SetRouting, RefusesWhatTheModelDoesNotHave) {
  EXPECT_THAT(refusal_of(routed_model(), {.experts = 3}),
              HasSubstr("experts: top_k must be at most 2"));
  EXPECT_THAT(refusal_of(routed_model(), {.share = 1.5}),
              HasSubstr("cascade: share must be between 0 and 1, not 1.5"));
  SavedModel dense = routed_model();
  dense.model.layers = {Dense{"dense", 3}};
  dense.model.inputs.clear();
  EXPECT_THAT(refusal_of(dense, {.share = 0.5}),
              HasSubstr("a share is for a Cascade, and net has none: leave it out"));
  EXPECT_THAT(refusal_of(dense, {.experts = 2}), HasSubstr("is for a MixtureOfExperts"));
}

}  // namespace
}  // namespace sluice
