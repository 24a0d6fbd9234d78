#include "cli/data_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/fail.h"
#include "cli/output.h"
#include "cli/own_data.h"
#include "sluice/lab/report.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

using Kind = DataProblem::Kind;

/// How a kind of problem is shown, in this order.
struct Section {
  Kind kind;
  const char* one;   ///< "1 broken file"
  const char* many;  ///< "2 broken files"
  const char* mend;  ///< empty if there is nothing to do
  bool is_grave;     ///< training refuses the data
};

constexpr std::array kSections{
    Section{Kind::broken, "file that cannot be read", "files that cannot be read",
            "replace or delete the files that cannot be read, or leave them out:\n"
            "  skip_broken = true under [data] of the experiment",
            true},
    Section{Kind::untrained, "class without a training image", "classes without a training image",
            "add training images to the classes without, or delete them in every half", true},
    Section{Kind::no_class, "folder that is no class", "folders that are no class",
            "rename or remove the folders that are no class", true},
    Section{Kind::untested, "class without a test image", "classes without a test image",
            "add test images to the classes without: nothing tests them now", false},
    Section{Kind::in_both_halves, "image of train that tests or validates",
            "images of train that test or validate",
            "delete the images of train that test or validate, in one of the halves:\n"
            "  they make the accuracy look better than it is",
            false},
    Section{Kind::other_label, "image with two labels", "images with two labels",
            "decide which label of the same image is right, and delete the other", false},
    Section{Kind::copy, "copy of an image", "copies of images",
            "delete the copies: they give an image more weight", false},
    Section{Kind::similar_names, "pair of similar names", "pairs of similar names",
            "join classes with similar names, if they are the same", false},
    Section{Kind::litter, "file or folder of a system, ignored",
            "files and folders of systems, ignored", "", false},
};

/// Prints the problems of one kind. Returns their number.
std::size_t print_section(const Section& section, const std::vector<DataProblem>& problems,
                          bool all) {
  constexpr std::size_t kMost = 10;
  std::vector<std::string> own;
  for (const DataProblem& problem : problems) {
    if (problem.kind == section.kind) own.push_back(problem.what);
  }
  std::ranges::sort(own);
  const std::size_t count = own.size();
  if (count == 0) return 0;
  print_out("\n{} {}:\n", count, count == 1 ? section.one : section.many);
  const std::size_t shown = all || count == kMost + 1 ? count : std::min(count, kMost);
  for (std::size_t i = 0; i < shown; ++i) print_out("  {}\n", printable(own[i]));
  if (shown < count) print_out("  ... and {} more, which --all lists\n", count - shown);
  return count;
}

/// Prints sizes and orientations, and returns what to do about them.
std::vector<std::string> print_pictures(const OwnData& own) {
  std::vector<std::string> mends;
  if (own.pictures.empty()) return mends;
  const auto longer = [](const PictureHeader& p) { return std::max(p.height, p.width); };
  const auto [least, most] = std::ranges::minmax_element(own.pictures, {}, longer);
  const auto turned = std::ranges::count_if(
      own.pictures, [](const PictureHeader& p) { return p.orientation != 1; });
  const auto oblong = std::ranges::count_if(own.pictures, [&](const PictureHeader& p) {
    return 4 * longer(p) > 5 * std::min(p.height, p.width);
  });
  if (longer(*least) == longer(*most) && oblong == 0) {
    print_out("\nPictures have {} x {} pixels.\n", own.width, own.height);
  } else {
    print_out(
        "\nPictures have {} x {} to {} x {} pixels (width x height);\nthe medians are {} x {}.\n",
        least->width, least->height, most->width, most->height, own.width, own.height);
  }
  if (turned > 0) {
    print_out(
        "EXIF turns {} of {} pictures: they are read upright, unless exif_orientation\n"
        "= false under [data].\n",
        turned, own.pictures.size());
  }
  constexpr int kFarApart = 4;
  if (longer(*most) >= kFarApart * longer(*least)) {
    mends.emplace_back("sizes are far apart: look for thumbnails among the pictures");
  }
  if (oblong > 0) {
    mends.push_back(
        fmt::format("{} of {} pictures are not square: resize = \"crop\" or \"pad\" under [data]\n"
                    "  keeps their proportions",
                    oblong, own.pictures.size()));
  }
  return mends;
}

}  // namespace

void check_data(const std::string& place, bool all) {
  std::vector<DataProblem> problems;
  const OwnData own = check_own(place, problems);
  const Dataset& data = own.data;
  const Examples train(data.train, data.class_names);
  print_out("\n{} ({})\n\n{}", data.name, path_text(data.source),
            distribution_text(train, {data.test, data.class_names}));
  std::vector<std::string> mends;
  bool is_grave = false;
  for (const Section& section : kSections) {
    if (print_section(section, problems, all) == 0) continue;
    is_grave |= section.is_grave;
    if (*section.mend != '\0') mends.emplace_back(section.mend);
  }
  const bool others =
      std::ranges::any_of(data.left_out, [](const auto& kind) { return kind.first != "broken"; });
  if (others) {
    mends.emplace_back(
        "move pictures among the files left out into class folders, or convert them");
  }
  if (balance_in_words(train) != "balanced") {
    mends.emplace_back(
        "the classes are uneven: class_weight = \"balanced\" under [train] weighs them\n"
        "  alike");
  }
  const std::vector<std::string> of_pictures = print_pictures(own);
  mends.insert(mends.end(), of_pictures.begin(), of_pictures.end());
  mends.push_back(is_grave
                      ? fmt::format("check again: sluice data check {}", argument_text(place))
                      : fmt::format("write an experiment: sluice init {}", argument_text(place)));
  print_out("\nWhat to do:\n");
  for (const std::string& mend : mends) print_out("- {}\n", mend);
  if (is_grave) {
    throw user_error("data", "{}: training refuses these data as they are", path_text(place));
  }
}

}  // namespace sluice::cli
