// Conditions, ranges, compressed siblings, and files that change while they are sent.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/static_files.hpp>
#include <greenroom/tests/http/files_kit.hpp>

namespace greenroom::http::static_files_part_test {
namespace {

using namespace test;
namespace fs = std::filesystem;

std::string line(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + std::string(value) + "\r\n";
}

// -- conditions ---------------------------------------------------------------------------------------------

TEST(StaticFilesCondition, SparesAClientWhatItHas) {
  file_rig t;
  t.write("a.txt", "hello");
  const auto first = t.ask("/files/a.txt");
  for (const auto& condition : {line("If-None-Match", first.field("ETag")), line("If-None-Match", "*"),
                                line("If-Modified-Since", first.field("Last-Modified"))}) {
    const auto same = t.ask("/files/a.txt", condition);
    EXPECT_EQ(same.status, 304) << condition;
    EXPECT_EQ(same.field("ETag"), first.field("ETag"));
    EXPECT_EQ(same.field("Cache-Control"), "no-cache");
    EXPECT_EQ(same.field("Content-Type"), "none");
    EXPECT_EQ(t.ask_head("/files/a.txt", condition).status, 304);
  }
  EXPECT_EQ(t.ask("/files/a.txt", line("If-Match", "\"other\"")).status, 412);
  EXPECT_EQ(t.ask("/files/a.txt", line("If-Match", first.field("ETag"))).body, "hello");
  EXPECT_EQ(t.ask("/files/none", line("If-None-Match", "*")).status, 404);
}

TEST(StaticFilesCondition, HasATagThatChangesWithSizeAndTime) {
  file_rig t;
  t.write("a.txt", "hello");
  const auto tag = t.ask("/files/a.txt").field("ETag");
  EXPECT_EQ(t.ask("/files/a.txt").field("ETag"), tag);
  t.set_time("a.txt", 1'000'000'000, 501);
  EXPECT_NE(t.ask("/files/a.txt").field("ETag"), tag) << "one nanosecond";
  t.write("a.txt", "hello!");
  EXPECT_NE(t.ask("/files/a.txt").field("ETag"), tag);
  t.write("a.txt", "HELLO");
  EXPECT_EQ(t.ask("/files/a.txt").field("ETag"), tag) << "the same size and time";
}

TEST(StaticFilesCondition, HasAWeakTagUntilTheFileHasSettled) {
  file_rig t;
  t.write("a.txt", "hello");
  EXPECT_TRUE(t.ask("/files/a.txt").field("ETag").starts_with("\""));
  t.set_time("a.txt", std::time(nullptr) + 1'000);
  const auto ahead = t.ask("/files/a.txt");
  EXPECT_TRUE(ahead.field("ETag").starts_with("W/\"")) << ahead.field("ETag");
  EXPECT_EQ(t.ask("/files/a.txt", line("If-None-Match", ahead.field("ETag"))).status, 304);
  EXPECT_EQ(t.ask("/files/a.txt", line("Range", "bytes=0-0") + line("If-Range", ahead.field("ETag"))).status, 200);
}

TEST(StaticFilesCondition, TakesAnyTimeThatAFileMayHave) {
  file_rig t;
  t.write("a.txt", "hello");
  for (const std::time_t when :
       {std::time_t{-62'135'596'800}, std::time_t{-1}, std::time_t{0}, std::time_t{15'032'385'535}}) {
    t.set_time("a.txt", when);
    const auto answer = t.ask("/files/a.txt");
    EXPECT_EQ(answer.status, 200) << when;
    EXPECT_TRUE(answer.field("Last-Modified").ends_with(" GMT")) << answer.field("Last-Modified");
  }
}

// -- ranges -------------------------------------------------------------------------------------------------

TEST(StaticFilesRange, GivesOnePart) {
  file_rig t({.part = 4'096});
  const auto all = counted(20'000);
  t.write("f.txt", all);
  const auto part = t.ask("/files/f.txt", line("Range", "bytes=5000-14999"));
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.field("Content-Range"), "bytes 5000-14999/20000");
  EXPECT_EQ(part.field("Content-Length"), "10000");
  EXPECT_EQ(part.field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(part.body, all.substr(5'000, 10'000));
  EXPECT_EQ(t.ask("/files/f.txt", line("Range", "bytes=-3")).body, all.substr(19'997));
  EXPECT_EQ(t.ask("/files/f.txt", line("Range", "bytes=19999-")).body, all.substr(19'999));
}

TEST(StaticFilesRange, GivesSeveralParts) {
  file_rig t({.part = 4'096});
  const auto all = counted(20'000);
  t.write("f.txt", all);
  const auto answer = t.ask("/files/f.txt", line("Range", "bytes=0-9,10000-19989,-5"));
  EXPECT_EQ(answer.status, 206);
  const auto type = answer.field("Content-Type");
  ASSERT_TRUE(type.starts_with("multipart/byteranges; boundary=")) << type;
  const auto mark = "--" + type.substr(type.find('=') + 1);
  const std::string text = "Content-Type: text/plain; charset=utf-8\r\n";
  EXPECT_EQ(answer.body, mark + "\r\n" + text + "Content-Range: bytes 0-9/20000\r\n\r\n" + all.substr(0, 10) + "\r\n" +
                             mark + "\r\n" + text + "Content-Range: bytes 10000-19989/20000\r\n\r\n" +
                             all.substr(10'000, 9'990) + "\r\n" + mark + "\r\n" + text +
                             "Content-Range: bytes 19995-19999/20000\r\n\r\n" + all.substr(19'995) + "\r\n" + mark +
                             "--\r\n");
  EXPECT_EQ(answer.field("Content-Range"), "none");
  EXPECT_NE(t.ask("/files/f.txt", line("Range", "bytes=0-0,2-2")).field("Content-Type"), type)
      << "a boundary is drawn for each answer";
}

TEST(StaticFilesRange, IsRefusedBehindTheEnd) {
  file_rig t;
  t.write("f.txt", "12345");
  const auto answer = t.ask("/files/f.txt", line("Range", "bytes=5-"));
  EXPECT_EQ(answer.status, 416);
  EXPECT_EQ(answer.field("Content-Range"), "bytes */5");
}

TEST(StaticFilesRange, CountsOnlyForTheFileThatTheClientMeans) {
  file_rig t;
  t.write("f.txt", "12345");
  const auto tag = t.ask("/files/f.txt").field("ETag");
  const auto range = line("Range", "bytes=1-2");
  EXPECT_EQ(t.ask("/files/f.txt", range + line("If-Range", tag)).body, "23");
  EXPECT_EQ(t.ask("/files/f.txt", range + line("If-Range", "\"other\"")).body, "12345");
  EXPECT_EQ(t.ask_head("/files/f.txt", range).status, 200) << "only GET has ranges";
}

// -- compressed siblings --------------------------------------------------------------------------------

TEST(StaticFilesSibling, IsSentToWhoAcceptsIt) {
  file_rig t;
  t.write("app.js", "long script");
  t.write("app.js.gz", "short");
  const auto coded = t.ask("/files/app.js", line("Accept-Encoding", "br, gzip"));
  EXPECT_EQ(coded.body, "short");
  EXPECT_EQ(coded.field("Content-Encoding"), "gzip");
  EXPECT_EQ(coded.field("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(coded.field("Vary"), "Accept-Encoding");
  for (const auto* accepts : {"br", "gzip;q=0", "identity"}) {
    const auto plain = t.ask("/files/app.js", line("Accept-Encoding", accepts));
    EXPECT_EQ(plain.body, "long script") << accepts;
    EXPECT_EQ(plain.field("Content-Encoding"), "none");
    EXPECT_EQ(plain.field("Vary"), "Accept-Encoding") << "a cache must know that there are two";
    EXPECT_NE(plain.field("ETag"), coded.field("ETag"));
  }
  EXPECT_EQ(t.ask("/files/app.js", line("Accept-Encoding", "gzip") + line("If-None-Match", coded.field("ETag"))).status,
            304);
  EXPECT_EQ(t.ask("/files/app.js", line("Accept-Encoding", "gzip") + line("Range", "bytes=1-2")).body, "ho");
}

TEST(StaticFilesSibling, HasATagOfItsOwnEvenWithTheSameSizeAndTime) {
  file_rig t;
  t.write("app.js", "12345");
  t.write("app.js.gz", "abcde");
  EXPECT_NE(t.ask("/files/app.js").field("ETag"),
            t.ask("/files/app.js", line("Accept-Encoding", "gzip")).field("ETag"));
}

TEST(StaticFilesSibling, IsLeftAloneWhenItIsOlderOrNotMeant) {
  file_rig t;
  t.write("app.js", "new", 1'000'000'001);
  t.write("app.js.gz", "old", 1'000'000'000);
  t.write("archive.tar", "tar");
  t.write("archive.tar.gz", "packed");
  EXPECT_EQ(t.ask("/files/app.js", line("Accept-Encoding", "gzip")).body, "new");
  EXPECT_EQ(t.ask("/files/archive.tar", line("Accept-Encoding", "gzip")).body, "tar");
  file_rig off({.precompressed = false});
  off.write("app.js", "script");
  off.write("app.js.gz", "short");
  EXPECT_EQ(off.ask("/files/app.js", line("Accept-Encoding", "gzip")).body, "script");
}

TEST(StaticFilesSibling, CannotLeadOutside) {
  file_rig t;
  t.write("app.js", "script");
  fs::create_symlink("../secret.txt", t.root() / "app.js.gz");
  EXPECT_EQ(t.ask("/files/app.js", line("Accept-Encoding", "gzip")).body, "script");
}

// -- while it is sent -----------------------------------------------------------------------------------

constexpr std::size_t large = 2'000'000;

/// A client that has the head of a large file, and takes no more for now.
test::raw_client begin(file_rig& t, const std::string& content) {
  t.write("big.bin", content);
  auto c = t.r.connect();
  t.r.say(c, get("/files/big.bin"));
  const auto head = t.r.hear_until(c, "\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 2000000\r\n"), head.npos) << head;
  return c;
}

TEST(StaticFilesChange, CutsOffAFileThatShrinks) {
  file_rig t;
  const auto content = counted(large);
  auto c = begin(t, content);
  fs::resize_file(t.root() / "big.bin", 1'500'000);
  const auto got = t.r.hear_all(c);
  EXPECT_LT(got.size(), 1'500'000u);
  EXPECT_TRUE(content.starts_with(got)) << "it was padded or mixed";
}

TEST(StaticFilesChange, CutsOffAFileThatIsWrittenInto) {
  file_rig t;
  const auto content = counted(large);
  auto c = begin(t, content);
  t.write("big.bin", std::string(large, '#'), 1'000'000'001);
  const auto got = t.r.hear_all(c);
  EXPECT_LT(got.size(), large);
  EXPECT_TRUE(content.starts_with(got)) << "two versions were mixed";
}

TEST(StaticFilesChange, FinishesAFileThatIsReplacedOrRemoved) {
  file_rig t;
  const auto content = counted(large);
  auto c = begin(t, content);
  t.write("new.bin", "new");
  fs::rename(t.root() / "new.bin", t.root() / "big.bin");
  EXPECT_EQ(t.r.hear_until(c, content.substr(large - 20)).size(), large);
  EXPECT_EQ(t.r.say_and_hear(c, get("/files/big.bin")).body, "new") << "the connection is kept";
}

TEST(StaticFilesChange, IsNotReadFurtherThanAClientTakesIt) {
  file_rig t;
  const auto content = counted(large);
  auto c = begin(t, content);
  t.r.hear_some(c, 100'000);
  t.write("big.bin", std::string(large, '#'), 1'000'000'001);
  const auto got = t.r.hear_all(c);
  EXPECT_LT(got.size(), 800'000u) << "so much was read ahead";
  EXPECT_TRUE(content.starts_with(got));
}

TEST(StaticFilesChange, EndsWhenTheClientLeaves) {
  file_rig t;
  auto c = begin(t, counted(large));
  c.leave();
  for (int i = 0; i < 10'000 && t.r.front.stats().in_flight != 0; ++i) t.r.settle();
  EXPECT_EQ(t.r.front.stats().in_flight, 0u);
}

} // namespace
} // namespace greenroom::http::static_files_part_test
