#include <greenroom/http/compress.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/internal/content_coding.hpp>
#include <greenroom/http/static_files.hpp>
#include <greenroom/tests/http/files_kit.hpp>

namespace greenroom::http::compress_test {
namespace {

using namespace test;
using internal::coding;

std::string prose(std::size_t size) {
  std::string all;
  while (all.size() < size) all += "all work and no play makes Jack a dull boy; ";
  all.resize(size);
  return all;
}

constexpr std::string_view gzip = "Accept-Encoding: gzip\r\n";

/// Each test says what the handler answers.
struct CompressAnswers : testing::Test {
  CompressAnswers() {
    if (!internal::available(coding::gzip)) return;
    serve(compress_answers());
  }
  void SetUp() override {
    if (!internal::available(coding::gzip)) GTEST_SKIP() << "built without zlib";
  }
  void serve(compress_answers with) {
    r.emplace();
    r->front.use(std::move(with))
        .get(
            "/", [](response* a) { return *a; }, &answer);
    r->start();
  }
  reply ask(std::string_view more = gzip) { return r->ask(get("/", more)); }
  /// Says whether the answer came as it was given.
  bool passes() {
    const auto got = ask();
    return got.body == answer.body() &&
           got.field("Content-Encoding") == std::string(answer.header("Content-Encoding").value_or("none"));
  }
  static std::string decoded(const reply& from) {
    const auto by = internal::coding_of(from.field("Content-Encoding"));
    return by ? internal::decode_all(*by, from.body, {.output = 10'000'000, .ratio = 2'000}).value() : "not encoded";
  }

  response answer = text(prose(10'000));
  std::optional<rig> r;
};

TEST_F(CompressAnswers, ByWhatTheClientLikesBest) {
  const auto small = ask();
  EXPECT_EQ(small.status, 200);
  EXPECT_EQ(small.field("Content-Encoding"), "gzip");
  EXPECT_EQ(small.field("Vary"), "Accept-Encoding");
  EXPECT_EQ(small.field("Content-Length"), std::to_string(small.body.size()));
  EXPECT_LT(small.body.size(), 500u);
  EXPECT_EQ(decoded(small), answer.body());
  const auto deflated = ask("Accept-Encoding: gzip;q=0.5, deflate\r\n");
  EXPECT_EQ(deflated.field("Content-Encoding"), "deflate");
  EXPECT_EQ(decoded(deflated), answer.body());
}

TEST_F(CompressAnswers, SendsItAsItIsToWhoAcceptsNothingElse) {
  for (const auto* accepts : {"", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0\r\n", "Accept-Encoding:\r\n",
                              "Accept-Encoding: identity, gzip;q=0.5\r\n"}) {
    const auto plain = ask(accepts);
    EXPECT_EQ(plain.body, answer.body()) << accepts;
    EXPECT_EQ(plain.field("Content-Encoding"), "none");
    EXPECT_EQ(plain.field("Vary"), "Accept-Encoding") << "the answer to another client may differ";
  }
}

TEST_F(CompressAnswers, NeverRefusesAClientThatAcceptsNothing) {
  const auto plain = ask("Accept-Encoding: identity;q=0, *;q=0\r\n");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, answer.body());
}

TEST_F(CompressAnswers, LeavesShortOnesAlone) {
  answer = text(prose(1'023));
  EXPECT_TRUE(passes());
  EXPECT_EQ(ask().field("Vary"), "none");
  answer = text(prose(1'024));
  EXPECT_EQ(ask().field("Content-Encoding"), "gzip");
}

TEST_F(CompressAnswers, LeavesTypesAloneThatDoNotGetShorter) {
  for (const auto* type : {"image/png", "application/octet-stream", "text/event-stream", "video/mp4"}) {
    answer = response(200, type, prose(10'000));
    EXPECT_TRUE(passes()) << type;
    EXPECT_EQ(ask().field("Vary"), "none") << type;
  }
  answer = response(200);
  answer.body(prose(10'000));
  EXPECT_TRUE(passes()) << "without a type";
  answer = json(prose(10'000));
  EXPECT_FALSE(passes());
}

TEST_F(CompressAnswers, LeavesAloneWhatIsNotToBeChanged) {
  const auto with = [](std::string_view name, std::string_view value) {
    auto a = text(prose(10'000));
    a.header(name, value);
    return a;
  };
  for (auto& one : {with("Content-Encoding", "br"), with("Content-Encoding", "identity"),
                    with("Cache-Control", "no-transform"), with("Cache-Control", "max-age=1, No-Transform"),
                    with("Cache-Control", "private").header("cache-control", "no-transform"),
                    with("Repr-Digest", "sha-256=:x:"), with("Content-Digest", "sha-256=:x:")}) {
    answer = one;
    EXPECT_TRUE(passes()) << one.header_lines();
    EXPECT_EQ(ask().field("Vary"), "none") << one.header_lines();
  }
  answer = with("Cache-Control", "private, max-age=1");
  EXPECT_FALSE(passes());
}

TEST_F(CompressAnswers, LeavesPartsAlone) {
  answer = text(prose(10'000), 206);
  EXPECT_TRUE(passes());
}

TEST_F(CompressAnswers, CompressesErrorsToo) {
  answer = html(prose(10'000), 404);
  const auto got = ask();
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(decoded(got), answer.body());
}

TEST_F(CompressAnswers, LeavesAloneWhatBecomesLonger) {
  std::string noise;
  for (std::uint32_t x = 1; noise.size() < 5'000;) { // no byte tells the next
    x = x * 1'664'525u + 1'013'904'223u;
    noise += static_cast<char>(x >> 24);
  }
  answer = text(noise);
  EXPECT_TRUE(passes());
  EXPECT_EQ(ask().field("Vary"), "Accept-Encoding");
}

TEST_F(CompressAnswers, WeakensAStrongTag) {
  answer.header("ETag", "\"abc\"").header("Accept-Ranges", "bytes").header("X", "y");
  const auto small = ask();
  EXPECT_EQ(small.field("ETag"), "W/\"abc\"");
  EXPECT_EQ(small.field("Accept-Ranges"), "none");
  EXPECT_EQ(small.field("X"), "y");
  const auto plain = ask("");
  EXPECT_EQ(plain.field("ETag"), "\"abc\"");
  EXPECT_EQ(plain.field("Accept-Ranges"), "bytes");
  answer = text(prose(10'000)).header("ETag", "W/\"abc\"");
  EXPECT_EQ(ask().field("ETag"), "W/\"abc\"");
}

TEST_F(CompressAnswers, AddsToVaryWhatIsNotThere) {
  answer.header("Vary", "Cookie");
  EXPECT_NE(ask().head.find("Vary: Cookie\r\nVary: Accept-Encoding\r\n"), std::string::npos);
  for (const auto* value : {"*", "Cookie, accept-encoding"}) {
    answer = text(prose(10'000)).header("Vary", value);
    EXPECT_EQ(ask().head.find("Vary: Accept-Encoding"), std::string::npos) << value;
  }
}

TEST_F(CompressAnswers, TellsHeadWhatGetWouldHave) {
  const auto whole = ask();
  auto c = r->connect();
  r->say(c, "HEAD / HTTP/1.1\r\nHost: x\r\n" + std::string(gzip) + "\r\n");
  const auto head = r->hear(c, true);
  EXPECT_EQ(head.field("Content-Length"), whole.field("Content-Length"));
  EXPECT_EQ(head.field("Content-Encoding"), "gzip");
}

TEST_F(CompressAnswers, DoesLongOnesOnABlockingThread) {
  answer = text(prose(3'000'000));
  EXPECT_EQ(decoded(ask()), answer.body());
}

TEST_F(CompressAnswers, PassesStreamedOnesAsTheyAre) {
  answer = streamed("text/plain", [](body_writer out) -> task<> {
    auto sent = co_await out.write(prose(5'000));
    (void)sent;
  });
  auto c = r->connect();
  r->say(c, get("/", gzip));
  const auto all = r->hear_until(c, "\r\n0\r\n\r\n");
  EXPECT_EQ(all.find("Content-Encoding"), all.npos);
  EXPECT_NE(all.find(prose(5'000)), all.npos);
}

TEST_F(CompressAnswers, TakesTheOptionsOfItsOwner) {
  answer = text(prose(100));
  EXPECT_TRUE(passes());
  serve(compress_answers({.at_least = 100, .level = 9, .inline_up_to = 0}));
  EXPECT_EQ(decoded(ask()), answer.body());
  EXPECT_THROW(compress_answers({.level = 0}), usage_error);
  EXPECT_THROW(compress_answers({.level = 10}), usage_error);
}

TEST_F(CompressAnswers, WorksWithTheConditionsOfFiles) {
  const temporary_directory place;
  std::ofstream(place.path / "a.txt") << prose(10'000);
  const timespec then[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (place.path / "a.txt").c_str(), then, 0), 0);
  rig files;
  files.front.use(compress_answers()).get("/{path...}", static_files(place.path));
  files.start();
  const auto coded = files.ask(get("/a.txt", gzip));
  EXPECT_EQ(decoded(coded), prose(10'000));
  ASSERT_TRUE(coded.field("ETag").starts_with("W/\""));
  const auto again = files.ask(get("/a.txt", std::string(gzip) + "If-None-Match: " + coded.field("ETag") + "\r\n"));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.field("Vary"), "Accept-Encoding");
  EXPECT_EQ(files.ask(get("/a.txt", std::string(gzip) + "Range: bytes=0-9\r\n")).body, prose(10));
}

} // namespace
} // namespace greenroom::http::compress_test
