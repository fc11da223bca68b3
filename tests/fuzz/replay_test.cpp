// Replays the corpora: each file of tests/fuzz/corpus/<name>, which fuzzing has found or a person has written, once through its target. What
// broke a property once stays in there, so that it cannot come back.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/fuzz/fuzz.hpp>

// The build gives each target's entry the name fuzz_<name> and writes the list: TARGET(<name>) for each.
#define TARGET(name) extern "C" int fuzz_##name(const std::uint8_t* data, std::size_t size);
#include GREENROOM_FUZZ_TARGETS
#undef TARGET

namespace greenroom::fuzz::replay_test {
namespace {

using entry = int (*)(const std::uint8_t*, std::size_t);

void run(entry target, const std::string& bytes) {
  // In memory of its own size, so that the sanitizers see a step beyond it.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  EXPECT_EQ(target(exact.data(), exact.size()), 0);
}

void replay(entry target, const std::string& name) {
  run(target, "");
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator(GREENROOM_FUZZ_CORPUS "/" + name)) {
    SCOPED_TRACE(each.path().filename().string());
    std::ifstream file(each.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    ASSERT_TRUE(file.good() || file.eof());
    EXPECT_NO_THROW(run(target, bytes));
    ++count;
  }
  EXPECT_GE(count, 5u) << "a target has a corpus: tools/fuzz --keep " << name;
}

#define TARGET(name)                                                                                                   \
  TEST(FuzzCorpus, name) { replay(fuzz_##name, #name); }
#include GREENROOM_FUZZ_TARGETS
#undef TARGET

// -- what the targets stand on ------------------------------------------------------------------------------

TEST(Fuzz, APropertyThatDoesNotHoldIsSeen) {
  EXPECT_NO_THROW(require(true, "holds"));
  EXPECT_THROW(require(false, "does not"), broken);
  EXPECT_NO_THROW(require_same("a", "a", "same"));
  EXPECT_THROW(require_same("a", "b", "same"), broken);
}

TEST(Fuzz, AnInputGivesChoicesFromItsEndAndTextFromItsFront) {
  const std::string bytes = "text/19";
  input from(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  EXPECT_EQ(from.choice(), 9u);
  EXPECT_EQ(from.choice(), 1u);
  EXPECT_EQ(from.choice(), 255u);
  EXPECT_EQ(from.text(), "text");
  input none(nullptr, 0);
  EXPECT_EQ(none.choice(), 0u);
}

TEST(Fuzz, CutsGiveAllOfATextInTurn) {
  const std::string choices = "102"; // two lengths: a piece of 1, then one of 2
  input from(reinterpret_cast<const std::uint8_t*>(choices.data()), choices.size());
  EXPECT_EQ(cuts(from).of("abcdefgh"), (std::vector<std::string_view>{"a", "bc", "d", "ef", "g", "h"}));
  input none(nullptr, 0);
  EXPECT_EQ(cuts(none).of("ab"), (std::vector<std::string_view>{"a", "b"}));
}

} // namespace
} // namespace greenroom::fuzz::replay_test
