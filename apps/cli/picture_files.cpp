#include "cli/picture_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <set>

#include "cli/fail.h"
#include "cli/output.h"
#include "sluice/files.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

/// Whether a file is a picture by its name or content. Broken pictures count, so that they are
/// reported.
bool has_pictures_name(const fs::path& file) {
  constexpr std::array<std::string_view, 10> kEndings{".png", ".jpg", ".jpeg", ".webp", ".gif",
                                                      ".bmp", ".tif", ".tiff", ".heic", ".avif"};
  std::string ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kEndings, ending) != kEndings.end();
}

bool is_picture(const fs::path& file) {
  if (has_pictures_name(file)) return true;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return false;
  try {
    return kind_of_file(file, "predict").of == FileKind::Of::picture;
  } catch (const Error&) {
    return false;  // not readable: reported with the others
  }
}

/// Pictures and other files of one folder.
class PictureFolder {
 public:
  explicit PictureFolder(const fs::path& folder) { walk(folder); }

  const std::vector<fs::path>& pictures() const { return pictures_; }
  const std::vector<fs::path>& others() const { return others_; }

 private:
  void walk(const fs::path& folder) {
    check_interrupt();
    std::error_code ignored;
    // Links may form a cycle.
    if (!seen_.insert(fs::canonical(folder, ignored)).second) return;
    for (const fs::path& entry : list_folder(folder, "predict")) {
      if (is_folder(entry)) {
        walk(entry);
      } else {
        (is_picture(entry) ? pictures_ : others_).push_back(entry);
      }
    }
  }

  std::set<fs::path> seen_;
  std::vector<fs::path> pictures_;
  std::vector<fs::path> others_;
};

void tell_others(const std::string& folder, const std::vector<fs::path>& others) {
  if (others.empty()) return;
  complain(fmt::format("[predict] {}: ignored {} that {} no picture: {}{}", one_line(folder),
                       others.size() == 1 ? "a file" : fmt::format("{} files", others.size()),
                       others.size() == 1 ? "is" : "are", path_text(others.front()),
                       others.size() == 1 ? "" : ", ..."));
}

}  // namespace

std::vector<std::string> listed_files(const std::string& list) {
  constexpr std::size_t kMost = 1'000'000;
  std::ifstream file;
  if (list != "-") {
    if (is_folder(list)) throw user_error("predict", "{} is a folder, not a list", one_line(list));
    file.open(list);
    if (!file) throw user_error("predict", "{}: {}", one_line(list), std::strerror(errno));
  }
  std::istream& lines = list == "-" ? std::cin : file;
  std::vector<std::string> files;
  std::vector<char> buffer(1 << 16);
  while (lines.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()))) {
    check_interrupt();
    std::string line = buffer.data();
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) files.push_back(std::move(line));
    if (files.size() > kMost) {
      throw user_error("predict", "{} has more than {} lines: split it", one_line(list), kMost);
    }
  }
  if (!lines.eof()) {
    throw user_error("predict", "{} has a line that is no file's name", one_line(list));
  }
  if (files.empty()) throw user_error("predict", "{} names no picture", one_line(list));
  return files;
}

std::vector<fs::path> picture_files(const std::vector<std::string>& arguments) {
  std::vector<fs::path> files;
  for (const std::string& argument : arguments) {
    if (!is_folder(argument)) {
      files.emplace_back(argument);
      continue;
    }
    const PictureFolder folder(argument);
    if (folder.pictures().empty()) {
      throw user_error(
          "predict", "{} has no picture: give one that has JPEG, PNG, WebP, BMP, GIF or TIFF files",
          one_line(argument));
    }
    tell_others(argument, folder.others());
    files.insert(files.end(), folder.pictures().begin(), folder.pictures().end());
  }
  return files;
}

}  // namespace sluice::cli
