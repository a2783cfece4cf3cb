#include "support/text_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cortex {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    char name[] = "/tmp/cortex_text_XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

TEST(TextFile, GivesEveryByteBack) {
  const Folder folder;
  const std::string path = folder.path / "a file", text = std::string(70000, 'x') + '\0' + "\xff\n";
  std::ofstream(path, std::ios::binary) << text;
  const Result<std::string> read = read_text_file(path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, text);
  EXPECT_EQ(*read_text_file("/dev/null"), "");
}

TEST(TextFile, RefusalsNameTheFile) {
  const Folder folder;
  const std::string name = folder.path.string();
  EXPECT_EQ(read_text_file(name + "/none").error().message, name + "/none: no such file");
  EXPECT_EQ(read_text_file(name).error().message, name + ": is a directory: name a file");
  EXPECT_EQ(read_text_file("").error().message, ": no such file");
  std::ofstream(name + "/ten") << "0123456789";
  EXPECT_TRUE(read_text_file(name + "/ten", 10).ok());
  EXPECT_EQ(read_text_file(name + "/ten", 9).error().message,
            name + "/ten: more than 9 bytes: is this the right file?");
}

// It has no end, and no size to ask for beforehand.
TEST(TextFile, DevicesWithoutAnEndAreRefused) {
  EXPECT_NE(read_text_file("/dev/zero", 1 << 20).error().message.find("more than 1048576 bytes"),
            std::string::npos);
}

TEST(TextFile, LinesAreCountedAndCommentsLeftOut) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) {
    lines.emplace_back(line);
    return line == "bad" ? Status(invalid_argument("refused")) : Status::success();
  };
  EXPECT_TRUE(for_each_line("\xef\xbb\xbf"
                            "a\n\n # no\nb",
                            "f", keep)
                  .ok());
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(for_each_line("a\n\nbad\n", "f", keep).error().message, "f:3: refused");
}

}  // namespace
}  // namespace cortex
