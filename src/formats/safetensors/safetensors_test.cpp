#include "formats/safetensors/safetensors.h"

#include <fmt/format.h>

#include <cstring>

#include "base/files.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

const std::vector<float> kSix{1, -2, 3.5f, 0, 1e-30f, -1e30f};

/// Returns a file with any header, and a buffer of `buffer` bytes.
std::string file_of(const std::string& header, std::size_t buffer) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(buffer, '\x3f');
}

std::string tensor(const std::string& name, const std::string& shape, const std::string& offsets,
                   const std::string& dtype = "F32") {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{}]}})", name, dtype,
                     shape, offsets);
}

/// Returns the message without the part that all have in common.
std::string refusal(std::string bytes) {
  const std::string what =
      error_of(Fault::user, [&] { Safetensors::parse(std::move(bytes), "f"); });
  const std::string common = "[safetensors] f";
  EXPECT_EQ(what.rfind(common, 0), 0u) << what;
  return what.substr(std::min(what.size(), common.size()));
}
std::string refused(const std::string& header, std::size_t buffer) {
  return refusal(file_of(header, buffer));
}

std::string small_file() {
  return to_safetensors({{"a/kernel", {2, 3}, kSix}, {"a/bias", {2}, std::span(kSix).first(2)}},
                        {{"format", "x"}});
}

TEST(Safetensors, WhatIsWrittenIsReadBack) {
  const ScratchFolder temp;
  const std::string odd = "na\"me/\n\xc3\xb6";
  write_file(temp / "f", to_safetensors({{odd, {3, 1, 2}, kSix},
                                         {"empty", {0, 4}, {}},
                                         {"scalar", {}, std::span(kSix).subspan(2, 1)}},
                                        {{"k", "v\n"}, {"", ""}}));
  const Safetensors file = Safetensors::read(temp / "f");
  EXPECT_EQ(file.metadata(), (TensorMetadata{{"k", "v\n"}, {"", ""}}));
  ASSERT_EQ(file.tensors().size(), 3u);
  ASSERT_NE(file.find(odd), nullptr);
  EXPECT_EQ(file.find(odd)->shape, (Shape{3, 1, 2}));
  std::vector<float> back(6);
  file.copy(*file.find(odd), back);
  EXPECT_EQ(back, kSix);
  float scalar = 0;
  file.copy(*file.find("scalar"), {&scalar, 1});
  EXPECT_EQ(scalar, 3.5f);
  file.copy(*file.find("empty"), {});
  EXPECT_EQ(file.find("none"), nullptr);
}

TEST(Safetensors, BufferIsAligned) {
  for (const char* name : {"a", "ab", "abc", "abcd", "abcde"}) {
    const std::string bytes = to_safetensors({{name, {6}, kSix}}, {});
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    EXPECT_EQ(header % 8, 0u);
    EXPECT_EQ(bytes.size(), 8 + header + 24);
    EXPECT_EQ(bytes[8], '{');
  }
  EXPECT_EQ(to_safetensors({}, {}), file_of("{}      ", 0));
}

TEST(Safetensors, EveryShorterFileIsRefused) {
  const std::string whole = small_file();
  Safetensors::parse(whole, "f");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(Safetensors::parse(whole.substr(0, size), "f"), Error) << size;
  }
  EXPECT_EQ(refusal("1234567"), " has 7 bytes, too few for a header: is the file whole?");
  EXPECT_THAT(refusal(whole + "x"), HasSubstr("the tensors end at 32, but there are 33 bytes"));
}

TEST(Safetensors, AnyFlippedByteIsReadOrRefused) {
  const std::string whole = small_file();
  for (std::size_t at = 0; at < whole.size() - 32; ++at) {
    for (const int flip : {0x01, 0x20, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      try {
        Safetensors::parse(bytes, "f");
      } catch (const Error&) {
      }
    }
  }
}

TEST(Safetensors, HugeDeclaredSizes) {
  for (const std::uint64_t length :
       {std::uint64_t{3}, std::uint64_t{100'000'001}, ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
    std::string bytes = file_of("{}", 0);
    std::memcpy(bytes.data(), &length, 8);
    EXPECT_EQ(refusal(bytes), fmt::format(" has 10 bytes but announces a header of {}: is it a "
                                          "whole safetensors file?",
                                          length));
  }
  EXPECT_EQ(
      refused("{" + tensor("a", "2", "0,18446744073709551615") + "}", 8),
      ": tensor 'a' at 0 to 18446744073709551615 ends after the 8 bytes of the buffer: is the "
      "file whole?");
  EXPECT_THAT(refused("{" + tensor("a", "4611686018427387904,4", "0,0") + "}", 0),
              HasSubstr("does not have the size of its shape"));
  EXPECT_THAT(refused("{" + tensor("a", "4294967296,4294967296,0", "0,0") + "}", 0),
              HasSubstr("does not have the size of its shape"))
      << "overflow on the way to zero";
  EXPECT_EQ(refused("{" + tensor("a", "9223372036854775808", "0,0") + "}", 0),
            ": tensor 'a' has a size of 9223372036854775808, which no tensor can have");
  std::string axes = "1";
  for (int i = 0; i < 32; ++i) axes += ",1";
  EXPECT_EQ(refused("{" + tensor("a", axes, "0,4") + "}", 4), ": tensor 'a' has more than 32 axes");
}

TEST(Safetensors, HeaderThatIsNoObject) {
  const std::string no_brace = ": the header is not JSON that begins with '{'";
  EXPECT_EQ(refused("", 0), no_brace);
  EXPECT_EQ(refused(" {}", 0), no_brace);
  EXPECT_EQ(refused("[]", 0), no_brace);
  EXPECT_EQ(refused(std::string("{}\0{", 4), 0), no_brace) << "what is behind a zero byte";
  EXPECT_EQ(refused("{", 0), ": the header is not valid JSON at byte 2");
  EXPECT_EQ(refused("{} {}", 0), ": the header is not valid JSON at byte 4");
  EXPECT_THAT(refused("{\"a\xff\":1}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(refused("{" + tensor("a", "1", "0,4") + ",}", 4), HasSubstr("not valid JSON"));
}

TEST(Safetensors, OnlyFloat32) {
  EXPECT_EQ(refused("{" + tensor("a\\n", "2", "0,4", "F16") + "}", 4),
            ": tensor 'a?' has the type F16, and only F32 is read: save it as float32");
}

TEST(Safetensors, OffsetsCoverTheBufferOnce) {
  const auto two = [](const char* first, const char* second) {
    return "{" + tensor("a", "1", first) + "," + tensor("b", "1", second) + "}";
  };
  Safetensors::parse(file_of(two("4,8", "0,4"), 8), "f");  // in any order
  EXPECT_EQ(refused(two("0,4", "5,9"), 9),
            ": tensor 'b' at 5 to 9 leaves a hole after the one before it, which ends at 4");
  EXPECT_EQ(refused(two("0,4", "3,7"), 7),
            ": tensor 'b' at 3 to 7 overlaps the one before it, which ends at 4");
  EXPECT_THAT(refused(two("0,4", "0,4"), 4), HasSubstr("overlaps"));
  EXPECT_THAT(refused("{" + tensor("a", "1", "4,8") + "}", 8), HasSubstr("leaves a hole"));
  EXPECT_THAT(refused("{" + tensor("a", "1", "4,0") + "}", 8), HasSubstr("ends before it begins"));
  EXPECT_THAT(refused("{" + tensor("a", "2", "0,4") + "}", 4),
              HasSubstr("does not have the size of its shape (2)"));
  EXPECT_THAT(refused("{" + tensor("a", "1", "0,4") + "}", 3), HasSubstr("after the 3 bytes"));
  EXPECT_THAT(refused("{" + tensor("a", "1", "0,4") + "}", 5), HasSubstr("there are 5 bytes"));
  EXPECT_THAT(refused("{}", 1), HasSubstr("the tensors end at 0, but there are 1 bytes"));
  const std::string wrong = ": tensor 'a' must have two data_offsets, a begin and an end";
  EXPECT_EQ(refused("{" + tensor("a", "1", "0") + "}", 4), wrong);
  EXPECT_EQ(refused("{" + tensor("a", "1", "0,4,4") + "}", 4), wrong);
}

TEST(Safetensors, NothingTwiceMissingOrUnknown) {
  EXPECT_EQ(refused("{" + tensor("a", "1", "0,4") + "," + tensor("a", "1", "4,8") + "}", 8),
            ": 'a' occurs twice");
  EXPECT_EQ(refused(R"({"__metadata__":{},"__metadata__":{}})", 0),
            ": '__metadata__' occurs twice");
  EXPECT_EQ(refused(R"({"__metadata__":{"k":"1","k":"2"}})", 0), ": metadata 'k' occurs twice");
  EXPECT_EQ(refused(R"({"a":{"dtype":"F32","dtype":"F32"}})", 0), ": tensor 'a' has two of dtype");
  EXPECT_EQ(refused(R"({"a":{"dtype":"F32","shape":[0]}})", 0), ": tensor 'a' has no data_offsets");
  EXPECT_EQ(refused(R"({"a":{}})", 0), ": tensor 'a' has no dtype");
  EXPECT_EQ(refused(R"({"a":{"strides":[1]}})", 0), ": tensor 'a' has the unknown field 'strides'");
}

TEST(Safetensors, ValuesOfTheWrongType) {
  EXPECT_EQ(refused(R"({"a":1})", 0), ": 'a' is a number, not a tensor");
  EXPECT_EQ(refused(R"({"a":[]})", 0), ": 'a' is a list, not a tensor");
  EXPECT_EQ(refused(R"({"__metadata__":"x"})", 0), ": '__metadata__' is a string, not a tensor");
  EXPECT_EQ(refused(R"({"__metadata__":{"k":1}})", 0), ": metadata 'k' is a number, not a string");
  EXPECT_EQ(refused(R"({"__metadata__":{"k":{}}})", 0),
            ": metadata 'k' is an object, not a string");
  EXPECT_EQ(refused(R"({"a":{"dtype":["F32"]}})", 0), ": tensor 'a' has a list in its dtype");
  EXPECT_EQ(refused(R"({"a":{"shape":"1"}})", 0), ": tensor 'a' has a string in its shape");
  EXPECT_EQ(refused(R"({"a":{"shape":[-1]}})", 0),
            ": tensor 'a' has a negative number in its shape");
  EXPECT_EQ(refused(R"({"a":{"shape":[1.0]}})", 0),
            ": tensor 'a' has a number with a fraction in its shape");
  EXPECT_EQ(refused(R"({"a":{"shape":[true]}})", 0), ": tensor 'a' has a truth value in its shape");
  EXPECT_EQ(refused(R"({"a":{"data_offsets":[null]}})", 0),
            ": tensor 'a' has null in its data_offsets");
  EXPECT_EQ(refused(R"({"a":{"shape":[[1]]}})", 0), ": tensor 'a' has a list in its shape");
  EXPECT_THAT(refused(R"({"a":{"shape":)" + std::string(1'000'000, '['), 0), HasSubstr("a list"));
}

}  // namespace
}  // namespace sluice
