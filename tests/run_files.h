#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "tests/scratch.h"

namespace sluice::testing {

namespace fs = std::filesystem;

inline void pause(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

inline std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    files.insert(fs::relative(entry.path(), folder).string());
  }
  return files;
}

/// Whether a key of results.json is a time or a speed.
inline bool is_time(const std::string& key) {
  return key.find("second") != std::string::npos || key == "latency_ms" || key == "finished_at" ||
         key == "peak_memory_bytes";
}

inline void drop_times(nlohmann::json& json) {
  if (json.is_object()) {
    for (auto it = json.begin(); it != json.end();) {
      it = is_time(it.key()) ? json.erase(it) : std::next(it);
    }
  }
  for (auto& value : json) {
    if (value.is_structured()) drop_times(value);
  }
}

/// Returns the content of a run's file without times.
inline std::string timeless(const fs::path& file) {
  const std::string text = load(file);
  if (file.filename() == "report.html") return "";  // made from results.json and gallery.json
  if (file.filename() == "SHA256SUMS") {
    return std::regex_replace(text, std::regex("[^\n]*(history.csv|results.json)\n"), "");
  }
  if (file.filename() == "history.csv") {
    return std::regex_replace(text, std::regex(",[^,\n]*\n"), "\n");
  }
  if (file.filename() == "results.json") {
    nlohmann::json json = nlohmann::json::parse(text);
    drop_times(json);
    return json.dump(1);
  }
  return text;
}

inline void expect_the_same_run(const fs::path& whole, const fs::path& other) {
  ASSERT_EQ(files_in(other), files_in(whole));
  for (const std::string& file : files_in(whole)) {
    if (!fs::is_regular_file(whole / file)) continue;
    EXPECT_TRUE(timeless(other / file) == timeless(whole / file)) << file;
  }
}

}  // namespace sluice::testing
