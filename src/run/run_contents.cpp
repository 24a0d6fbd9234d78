#include "run/run_contents.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "formats/text/json_text.h"
#include "run/run_sums.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::uint64_t kMostBytes = 50'000'000;
constexpr int kDepth = 12;
constexpr const char* kTag = "report";

OrderedJson read_json(const std::filesystem::path& folder, const std::string& file) {
  const std::string text = read_summed(folder, file, kMostBytes, kTag);
  parse_json(text, kDepth, kTag,
             path_text(folder / file));  // refuses invalid or deeply nested JSON
  return OrderedJson::parse(text);       // keeps the order of the file
}

/// Returns the fields of the next line, and removes it from the text.
std::vector<std::string_view> take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.size(), line.find(',', begin));
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

/// Parses a number; null for other text and for numbers that JSON cannot represent.
OrderedJson number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) ? OrderedJson(value) : OrderedJson();
}

OrderedJson read_history(const std::filesystem::path& folder, const std::string& model) {
  const std::string bytes = read_summed(folder, model + "/history.csv", kMostBytes, kTag);
  std::string_view text = bytes;
  const std::vector<std::string_view> names = take_line(text);
  std::vector<OrderedJson> columns(names.size(), OrderedJson::array());
  while (!text.empty()) {
    const std::vector<std::string_view> fields = take_line(text);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i].push_back(i < fields.size() ? number(fields[i]) : OrderedJson());
    }
  }
  OrderedJson history = OrderedJson::object();
  for (std::size_t i = 0; i < names.size(); ++i) history[std::string(names[i])] = columns[i];
  return history;
}

/// Reads results.json. Requires the current format and a verdict, which the report needs.
OrderedJson read_results(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "results.json";
  OrderedJson results = read_json(folder, "results.json");
  const OrderedJson format = results.is_object() ? results.value("format", OrderedJson()) : nullptr;
  if (format != kResultsFormat) {
    throw user_error(
        kTag,
        "{} is of another version of Sluice (format {}, and this one reads {}): report "
        "with that version, or train the run again",
        path_text(file), one_line(format.dump(), 20), kResultsFormat);
  }
  const OrderedJson verdict = results.value("verdict", OrderedJson::object());
  if (!verdict.is_object() || !verdict.value("controls", OrderedJson()).is_object() ||
      !verdict.value("sentence", OrderedJson()).is_string()) {
    throw user_error(kTag, "{} has no verdict: it was changed; train the run again",
                     path_text(file));
  }
  return results;
}

}  // namespace

OrderedJson contents_of(const RunFolder& run) {
  const std::filesystem::path& path = run.path();
  if (!run.finished()) {
    throw user_error(
        kTag, "{} has no results.json: {}", path_text(path),
        run.imported()
            ? fmt::format("it was imported; `sluice report {}` evaluates it", path_text(path))
            : fmt::format("it was stopped; resume it with `sluice train --resume {}`",
                          path_text(path)));
  }
  OrderedJson results = read_results(path);
  std::error_code ignored;  // one network of an earlier version has no gallery
  const bool has_gallery =
      results.contains("mixture") || std::filesystem::exists(path / "gallery.json", ignored);
  const Experiment experiment = run.read_experiment();
  std::vector<std::string> models = run.models();
  const nlohmann::ordered_json& controls = results["verdict"]["controls"];
  for (const Stage& stage : stages(experiment.lab, experiment.groups)) {
    const bool is_there = run.has_model(stage.name);
    const bool is_control = stage.is_control() && controls.contains(stage.control);
    if ((is_control || stage.kind == StageKind::earlier) && is_there) models.push_back(stage.name);
  }
  OrderedJson histories = OrderedJson::object();
  if (!run.imported()) {
    for (const std::string& model : models) histories[model] = read_history(path, model);
  }
  // Also finds the name of "runs/lab/" and ".".
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  const std::filesystem::path name = whole.has_filename() ? whole : whole.parent_path();
  return {{"name", one_line(name.filename().string())},
          {"results", std::move(results)},
          {"experiment", read_summed(path, "experiment.toml", kMostBytes, kTag)},
          {"gallery", has_gallery ? read_json(path, "gallery.json") : OrderedJson::array()},
          {"histories", std::move(histories)}};
}

}  // namespace sluice
