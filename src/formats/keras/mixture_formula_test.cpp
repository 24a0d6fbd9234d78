#include "formats/keras/mixture_formula.h"

#include "formats/keras/mixture_graph.h"
#include "formats/text/json_text.h"
#include "sluice/lab/models.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMostValues = 100'000;

/// A Functional model of the parts and of nodes, each "name op argument argument ...".
class FormulaTest : public testing::Test {
 protected:
  static std::string tensor(const std::string& name) {
    return R"({"class_name":"__keras_tensor__","config":{"keras_history":[")" + name +
           R"(",0,0]}})";
  }

  static std::string node(const std::string& type, const std::string& name,
                          const std::string& arguments, const std::string& config = "",
                          bool layer = false) {
    return R"({"module":")" + std::string(layer ? "keras.layers" : "keras.src.ops.numpy") +
           R"(","class_name":")" + type + R"(","name":")" + name + R"(","config":{"name":")" +
           name + "\"" + (config.empty() ? "" : "," + config) + R"(},"inbound_nodes":[{"args":[)" +
           arguments + R"(],"kwargs":{}}]})";
  }

  static std::string column(const std::string& name, const std::string& of, int column) {
    const std::string all = R"({"class_name":"__slice__","config":{"start":null,"stop":null}})";
    return node("GetItem", name,
                tensor(of) + ",[" + all + "," + all + "," + std::to_string(column) + "]");
  }

  static std::string gate(const std::string& name, int column) {
    const std::string all = R"({"class_name":"__slice__","config":{"start":null,"stop":null}})";
    return node("GetItem", name,
                tensor("gate") + ",[" + all + R"(,{"class_name":"__slice__","config":{"start":)" +
                    std::to_string(column) + R"(,"stop":)" + std::to_string(column + 1) + "}}]");
  }

  static std::string binary(const std::string& type, const std::string& name, const std::string& a,
                            const std::string& b) {
    return node(type, name, tensor(a) + "," + tensor(b));
  }

  /// The sub-gate of a group: "sub-a".
  static std::vector<std::string> sub_gate(const std::string& g, int first = 0, int second = 1) {
    return {column("b" + g, "importance-" + g, first), column("e" + g, "importance-" + g, second),
            binary("Multiply", "mb" + g, "baseline", "b" + g),
            binary("Multiply", "me" + g, "expert-" + g, "e" + g),
            binary("Add", "sub-" + g, "mb" + g, "me" + g)};
  }

  static std::vector<std::string> check(std::vector<std::string> nodes,
                                        const std::vector<std::string>& of_a = sub_gate("a"),
                                        const std::vector<std::string>& of_b = sub_gate("b")) {
    std::string layers =
        R"({"class_name":"InputLayer","name":"in","config":{"name":"in","batch_shape":[null,8,8,3]}})";
    std::map<std::string, std::string> parts;
    for (const std::string& part : names::parts({"a", "b"})) parts[part] = part;
    for (const char* each :
         {"baseline", "gate", "expert-a", "expert-b", "importance-a", "importance-b"}) {
      parts[each] = each;
      layers += "," + node("Sequential", each, tensor("in"), R"("layers":[])", true);
    }
    nodes.insert(nodes.begin(), of_b.begin(), of_b.end());
    nodes.insert(nodes.begin(), of_a.begin(), of_a.end());
    for (const std::string& each : nodes) layers += "," + each;
    const nlohmann::json config =
        parse_json(R"({"class_name":"Functional","config":{"name":"m","layers":[)" + layers +
                       R"(],"output_layers":[["out",0,0]]}})",
                   30, "keras", "f");
    return require_labs_formula({config, {"a", "b"}, parts, 3, kMostValues}, "f");
  }

  static std::string refusal(const std::vector<std::string>& nodes,
                             const std::vector<std::string>& of_a = sub_gate("a"),
                             const std::vector<std::string>& of_b = sub_gate("b")) {
    return error_of(Fault::user, [&] { check(nodes, of_a, of_b); });
  }

  /// out = where(gate[:, :1] COMPARE gate[:, 1:], first, second)
  static std::vector<std::string> choice(const std::string& compare, const std::string& first,
                                         const std::string& second) {
    return {gate("g0", 0), gate("g1", 1), binary(compare, "compared", "g0", "g1"),
            node("Where", "out", tensor("compared") + "," + tensor(first) + "," + tensor(second))};
  }
};

TEST_F(FormulaTest, TheLabs) {
  EXPECT_TRUE(check(choice("Greater", "sub-a", "sub-b")).empty());
  EXPECT_TRUE(check(choice("LessEqual", "sub-b", "sub-a")).empty());
  EXPECT_TRUE(
      check({node("Argmax", "first", tensor("gate"), R"("axis":-1,"keepdims":true)"),
             node("Equal", "is-a", tensor("first") + ",0"),
             node("Where", "out", tensor("is-a") + "," + tensor("sub-a") + "," + tensor("sub-b"))})
          .empty());
}

TEST_F(FormulaTest, Others) {
  const std::string another = "f: what joins its parts is not the lab's formula";
  const std::string order = "it would be if the gate's first output were b";
  EXPECT_THAT(refusal(choice("Less", "sub-a", "sub-b")), HasSubstr(another));
  EXPECT_THAT(refusal(choice("Less", "sub-a", "sub-b")), HasSubstr(order));
  EXPECT_THAT(refusal(choice("Greater", "sub-b", "sub-a")), HasSubstr(order));
  const std::string swapped =
      refusal(choice("Greater", "sub-a", "sub-b"), sub_gate("a", 1, 0), sub_gate("b", 1, 0));
  EXPECT_THAT(swapped, HasSubstr(another));
  EXPECT_THAT(swapped, Not(HasSubstr("it would be")));
  // A soft gate.
  EXPECT_THAT(refusal({gate("g0", 0), gate("g1", 1), binary("Multiply", "wa", "g0", "sub-a"),
                       binary("Multiply", "wb", "g1", "sub-b"), binary("Add", "out", "wa", "wb")}),
              HasSubstr(another));
}

TEST_F(FormulaTest, WhatCannotBeChecked) {
  EXPECT_EQ(check({node("Lambda", "out",
                        tensor("gate") + "," + tensor("sub-a") + "," + tensor("sub-b"), "", true)}),
            std::vector<std::string>{"out"});
  EXPECT_THAT(refusal({binary("Einsum", "mixed", "sub-a", "sub-b"),
                       binary("Multiply", "out", "mixed", "gate")}),
              HasSubstr("f: layer 'mixed', behind the mixture's parts: Sluice cannot check whether "
                        "its operation einsum belongs to the lab's mixture: save the parts"));
  EXPECT_THAT(
      refusal({binary("Add", "both", "sub-a", "sub-b"), binary("Add", "out", "both", "gate")}),
      HasSubstr("(8, 3) does not fit (8, 2)"));
}

TEST_F(FormulaTest, NeedsNoMoreThanItsShare) {
  std::vector<std::string> nodes{binary("Add", "n0", "sub-a", "sub-b")};
  for (int i = 0; i < 30; ++i) {
    const std::string before = "n" + std::to_string(i);
    nodes.push_back(node("Concatenate", "n" + std::to_string(i + 1),
                         "[" + tensor(before) + "," + tensor(before) + "]", R"("axis":1)"));
  }
  nodes.push_back(binary("Add", "out", "n30", "gate"));
  EXPECT_THAT(refusal(nodes), HasSubstr("it computes more than a mixture's end does"));
}

TEST_F(FormulaTest, ExportsAreTheLabs) {
  for (const int groups : {2, 3, 11}) {
    std::vector<Groups::Group> declared;
    std::vector<std::string> classes;
    for (int g = 0; g < groups; ++g) {
      classes.push_back("class" + std::to_string(g));
      declared.push_back({"g" + std::to_string(g), {classes.back()}});
    }
    const Mixture model = mixture(Groups(declared, classes), {8, 8, 3}, groups, CnnSize::small);
    const nlohmann::json config =
        nlohmann::json::parse(functional_config("m", mixture_graph(model)).dump());
    std::map<std::string, std::string> parts;
    std::vector<std::string> names;
    for (const Sequential* part : model.parts()) parts[part->name] = part->name;
    for (const Mixture::Branch& branch : model.branches) names.push_back(branch.group);
    EXPECT_TRUE(require_labs_formula({config, names, parts, groups, kMostValues}, "f").empty());
  }
}

}  // namespace
}  // namespace sluice
