#include "polyopt/search/wisdom.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "polyopt/machine/describe.h"
#include "polyopt/machine/measured_file.h"

namespace cortex {
namespace {

Machine machine(const char* name = "some CPU") {
  Machine m;
  m.name = name;
  m.caches = {{"L1", 32 << 10}, {"L2", 1 << 20}};
  return m;
}

class WisdomFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / fmt::format("wisdom_{}", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return (folder_ / "w.json").string(); }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  std::string refusal() const {
    Wisdom w(machine());
    const Status s = w.load(path());
    EXPECT_EQ(w.size(), 0u) << "nothing of a refused file is used";
    return s ? "" : s.error().message;
  }
  std::filesystem::path folder_;
};

TEST_F(WisdomFile, SavesAndLoads) {
  Wisdom w(machine());
  const std::string key = Wisdom::key("8x8:8x8", Isa::avx2, 2, true);
  w.add(key, {"m/4 | k", 12.5, 8});
  ASSERT_TRUE(w.save(path()));
  Wisdom back(machine());
  ASSERT_TRUE(back.load(path()));
  ASSERT_NE(back.find(key), nullptr);
  EXPECT_EQ(back.find(key)->schedule, "m/4 | k");
  EXPECT_EQ(back.find(Wisdom::key("8x8:8x8", Isa::avx2, 1, true)), nullptr);
}

TEST_F(WisdomFile, AMissingFileIsEmpty) {
  Wisdom w(machine());
  EXPECT_TRUE(w.load(path()));
  EXPECT_EQ(w.size(), 0u);
}

TEST_F(WisdomFile, KeepsWhatMoreVariantsWereTriedFor) {
  Wisdom w(machine());
  w.add("p", {"a", 10, 8});
  w.add("p", {"b", 12, 8});
  EXPECT_EQ(w.find("p")->schedule, "a");
  w.add("p", {"c", 11, 200});
  EXPECT_EQ(w.find("p")->schedule, "c");
  w.add("p", {"d", 5, 8});
  EXPECT_EQ(w.find("p")->schedule, "c");
}

TEST_F(WisdomFile, FinishedSearchesReplaceInterruptedOnes) {
  Wisdom w(machine());
  w.add("p", {"a", 10, 3, false});
  w.add("q", {"a", 10, 8});
  w.add("q", {"b", 5, 200, false});
  EXPECT_EQ(w.find("q")->schedule, "a");
  ASSERT_TRUE(w.save(path()));
  Wisdom back(machine());
  ASSERT_TRUE(back.load(path()));
  EXPECT_FALSE(back.find("p")->finished);
  EXPECT_TRUE(back.find("q")->finished);
  back.add("p", {"b", 12, 2});
  EXPECT_EQ(back.find("p")->schedule, "b");
  EXPECT_TRUE(back.find("p")->finished);
}

// Entries without "unfinished" are of an older form.
TEST_F(WisdomFile, OneVariantOfAnOlderFormIsNoFinishedSearch) {
  Wisdom w(machine());
  w.add("one", {"a", 10, 1});
  w.add("eight", {"a", 10, 8});
  nlohmann::ordered_json entries = nlohmann::ordered_json::parse(w.text())["entries"];
  EXPECT_EQ(entries["one"]["unfinished"], false);
  for (auto& [key, entry] : entries.items()) entry.erase("unfinished");
  write(measured_document({"cortex-wisdom-1", "entries", "measured"}, describe(machine()), entries).dump());
  Wisdom old(machine());
  ASSERT_TRUE(old.load(path()));
  ASSERT_EQ(old.size(), 2u);
  EXPECT_FALSE(old.find("one")->finished);
  EXPECT_EQ(old.find("one")->schedule, "a");
  EXPECT_TRUE(old.find("eight")->finished);
  // Of a small space one variant may be all.
  Wisdom now(machine());
  ASSERT_TRUE(now.parse(w.text(), "w.json"));
  EXPECT_TRUE(now.find("one")->finished);
}

TEST_F(WisdomFile, RefusesADirectory) {
  std::filesystem::create_directories(path());
  EXPECT_NE(refusal().find(path() + ": it is a directory: name a file, such as " + path() + "/wisdom.json"),
            std::string::npos)
      << refusal();
}

TEST_F(WisdomFile, RefusesWhatIsDamagedOrForeign) {
  Wisdom w(machine());
  w.add("p", {"m/4 | k", 10, 8});
  const std::string good = w.text();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  write(good.substr(0, good.size() / 2));
  EXPECT_NE(refusal().find("not valid JSON"), std::string::npos) << refusal();
  write("");
  EXPECT_NE(refusal().find("not valid JSON"), std::string::npos) << refusal();
  write("[1]");
  EXPECT_NE(refusal().find("no cortex-wisdom"), std::string::npos) << refusal();
  write(with("m/4", "m/6"));
  EXPECT_NE(refusal().find("checksum"), std::string::npos) << refusal();
  write(with("some CPU", "other CPU"));
  EXPECT_NE(refusal().find("another CPU (other CPU"), std::string::npos) << refusal();
  write(with(CORTEX_VERSION, "0.0.0"));
  EXPECT_NE(refusal().find("version 0.0.0"), std::string::npos) << refusal();
  // A damaged file is not overwritten either.
  write("{");
  EXPECT_FALSE(w.save(path()));
}

TEST_F(WisdomFile, ConcurrentSavesLoseNothing) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Wisdom w(machine());
      w.add(fmt::format("p{}", t), {"s", 1, 1});
      EXPECT_TRUE(w.save(path()));
    });
  }
  for (std::thread& t : threads) t.join();
  Wisdom all(machine());
  ASSERT_TRUE(all.load(path()));
  EXPECT_EQ(all.size(), 8u);
}

}  // namespace
}  // namespace cortex
