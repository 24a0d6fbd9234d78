#include "data/csv.h"

#include "data/csv_files.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::vector<std::string>> cells_of(const std::string& text) {
  std::vector<std::vector<std::string>> cells;
  for (const CsvTable::Row& row : parse_csv(text, "a.csv").rows) cells.push_back(row.cells);
  return cells;
}

TEST(CsvTables, AreParsed) {
  using Row = std::vector<std::string>;
  EXPECT_THAT(cells_of("a,b\n1,2\n"), ElementsAre(Row{"a", "b"}, Row{"1", "2"}));
  EXPECT_THAT(cells_of("\xef\xbb\xbf"
                       "a;b,c\r\n\r\nd;"),
              ElementsAre(Row{"a;b", "c"}, Row{"d;"}));
  EXPECT_THAT(cells_of("a;b\n1;2,5"), ElementsAre(Row{"a", "b"}, Row{"1", "2,5"}));
  EXPECT_THAT(cells_of("a;b\n1;2"), ElementsAre(Row{"a", "b"}, Row{"1", "2"}));
  EXPECT_THAT(cells_of("a\tb"), ElementsAre(Row{"a", "b"}));
  EXPECT_THAT(cells_of("\"x, \"\"y\"\"\nz\",\"\""), ElementsAre(Row{"x, \"y\"\nz", ""}));
  EXPECT_THAT(cells_of(""), ElementsAre());
  const auto refused = [](const std::string& text) {
    return error_of(Fault::user, [&] { parse_csv(text, "a.csv"); });
  };
  EXPECT_THAT(refused("a,b\nc,\"d\n"), HasSubstr("a.csv, line 2: a quote does not end"));
  EXPECT_THAT(refused(std::string("a\0b", 3)), HasSubstr("a.csv, line 1: has a byte 0"));
  EXPECT_THAT(refused(std::string(2000, ',')), HasSubstr("more than 1000 cells"));
}

class CsvFiles : public ::testing::Test {
 protected:
  Listing list(const std::string& text) {
    save(folder_ / "labels.csv", text);
    return list_csv(folder_ / "labels.csv", {});
  }
  std::string error(const std::string& text) {
    return error_of(Fault::user, [&] { list(text); });
  }
  ScratchFolder folder_;
};

TEST_F(CsvFiles, HaveAHeaderOrNone) {
  const Listing named = list("id,Label,Filename,other\n1,dog,a/1.jpg,x\n2,cat,a/2.jpg,y\n");
  EXPECT_EQ(named.class_names, (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ(named.train.size(), 2u);
  EXPECT_EQ(named.train[0].path, folder_ / "a/1.jpg");
  EXPECT_EQ(named.train[0].label, 1);
  EXPECT_FALSE(named.has_test);
  const Listing plain = list("a/1.jpg,dog\n\"a, b.jpg\",cat\n");
  ASSERT_EQ(plain.train.size(), 2u);
  EXPECT_EQ(plain.train[1].path, folder_ / "a, b.jpg");
}

TEST_F(CsvFiles, MayHaveASplit) {
  const Listing listing = list("1.jpg,a,train\n2.jpg,b,Test\n3.jpg,b,valid\n4.jpg,b,\n5.jpg,a\n");
  EXPECT_EQ(listing.train.size(), 3u);
  EXPECT_EQ(listing.validation.size(), 1u);
  EXPECT_EQ(listing.test.size(), 1u);
  EXPECT_TRUE(listing.has_test && listing.has_validation);
}

TEST_F(CsvFiles, MayHaveBackslashesOfWindows) {
  save(folder_ / "a/1.jpg", "");
  EXPECT_EQ(list("a\\1.jpg,x\n2.jpg,y").train[0].path, folder_ / "a/1.jpg");
}

TEST_F(CsvFiles, ThatDoNotFitAreRefusedWithTheLine) {
  EXPECT_THAT(error("1.jpg,a\n2.jpg\n"), HasSubstr("labels.csv, line 2: needs a file and a label"));
  EXPECT_THAT(error("1.jpg,a,train\n2.jpg,b,holdout\n"),
              HasSubstr("line 2: the split 'holdout' is none of train, val and test"));
  EXPECT_THAT(error("1.jpg,a\n2.jpg,a\n"), HasSubstr("has the label a alone"));
  EXPECT_THAT(error(""), HasSubstr("labels.csv lists no image"));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         list_csv(folder_ / "labels.csv", std::vector<std::string>{"cat", "dog"});
                       }),
              HasSubstr("labels.csv"));
}

}  // namespace
}  // namespace sluice
