#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/image_digest.h"
#include "formats/text/json_text.h"
#include "run/run_sums.h"
#include "sluice/lab/run_folder.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kData = "data.json";
constexpr int kDataFormat = 1;

OrderedJson half_json(const DataRecord::Half& half) {
  return {{"images", half.images}, {"sha256", half.sha256}};
}

DataRecord::Half half_of(const nlohmann::json& json) {
  return {json.at("images").get<std::size_t>(), json.at("sha256").get<std::string>()};
}

}  // namespace

DataRecord record_of(const Dataset& data, const std::string& set) {
  const ImageDigests digests = digests_of(data);
  return {set,
          data.name,
          data.place,
          data.class_names,
          {data.train.size(), digests.train},
          {data.test.size(), digests.test},
          {data.validation.size(), digests.validation},
          digests.all};
}

void RunFolder::write_data(const DataRecord& record) const {
  OrderedJson json{{"format", kDataFormat},
                   {"set", record.set},
                   {"name", record.name},
                   {"place", record.place},
                   {"class_names", record.class_names},
                   {"train", half_json(record.train)},
                   {"test", half_json(record.test)}};
  if (record.validation.images > 0) json["validation"] = half_json(record.validation);
  write_file(path_ / kData, json_text(json));
}

std::optional<DataRecord> RunFolder::read_data() const {
  constexpr std::uint64_t kMostBytes = 10'000'000;
  const std::filesystem::path file = path_ / kData;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  const nlohmann::json json =
      parse_json(read_summed(path_, kData, kMostBytes, "run"), 4, "run", path_text(file));
  try {
    if (json.at("format") != kDataFormat) {
      throw user_error("run", "{} is of another version of Sluice: evaluate with that version",
                       path_text(file));
    }
    DataRecord record{
        json.at("set").get<std::string>(),   json.at("name").get<std::string>(),
        json.at("place").get<std::string>(), json.at("class_names").get<std::vector<std::string>>(),
        half_of(json.at("train")),           half_of(json.at("test"))};
    if (json.contains("validation")) record.validation = half_of(json.at("validation"));
    return record;
  } catch (const nlohmann::json::exception&) {
    throw user_error("run", "{} is damaged: copy it again, or delete it and pass --data DIR",
                     path_text(file));
  }
}

}  // namespace sluice
