#include <greenroom/http/internal/content_coding.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace greenroom::http::internal::content_coding_test {
namespace {

using namespace std::string_view_literals;
using progress = content_decoder::progress;

constexpr auto text = "hello hello hello hello"sv;
// The text as gzip and zlib write it themselves.
constexpr auto gzipped =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01\xe3\x51\x3d\x8d\x17\x00"
    "\x00\x00"sv;
constexpr auto deflated = "\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01\x68\x03\x08\xb1"sv;

class ContentCoding : public testing::Test {
protected:
  void SetUp() override {
    if (!available(coding::gzip)) GTEST_SKIP() << "this build has no zlib";
  }
};

/// What comes of the bytes, or "parse: ..." or "limit: ...".
std::string decoded(coding c, std::string_view bytes, const decode_limits& most = {}) {
  const auto all = decode_all(c, bytes, most);
  return all ? *all : to_string(all.error().code()) + (": " + std::string(all.error().message()));
}

std::string random_text(std::mt19937& random, std::size_t size) {
  std::string made;
  // Some of it compresses well, some not at all.
  while (made.size() < size) {
    if (random() % 2 == 0) {
      made.append(random() % 300, static_cast<char>('a' + random() % 3));
    } else {
      for (auto n = random() % 300; n != 0; --n) made += static_cast<char>(random());
    }
  }
  made.resize(size);
  return made;
}

std::string encode_split(coding c, std::string_view body, std::mt19937& random, bool flushes) {
  content_encoder encoder(c, 1 + static_cast<int>(random() % 9));
  std::string out;
  while (!body.empty()) {
    const auto n = std::min<std::size_t>(body.size(), random() % 5'000);
    encoder.encode(body.substr(0, n), out);
    body.remove_prefix(n);
    if (flushes && random() % 4 == 0) encoder.flush(out);
  }
  encoder.finish(out);
  return out;
}

/// Feeds random pieces, and takes the output through windows of random size.
std::string decode_split(coding c, std::string_view bytes, std::mt19937& random) {
  content_decoder decoder(c, {.output = UINT64_MAX, .ratio = UINT64_MAX});
  std::string out;
  while (!bytes.empty()) {
    auto piece = bytes.substr(0, 1 + random() % 700);
    bytes.remove_prefix(piece.size());
    for (auto state = progress::full; state == progress::full;) {
      const std::size_t room = random() % 40'000;
      const auto before = out.size();
      const auto done = decoder.decode(piece, out, room);
      EXPECT_TRUE(done) << done.error().message();
      EXPECT_LE(out.size() - before, room);
      if (!done) return out;
      state = *done;
    }
    EXPECT_TRUE(piece.empty());
  }
  EXPECT_TRUE(decoder.finish());
  return out;
}

// -- decoding -------------------------------------------------------------------------------------------------

TEST_F(ContentCoding, DecodesWhatOthersEncoded) { // RFC 1952 and 1950
  EXPECT_EQ(decoded(coding::gzip, gzipped), text);
  EXPECT_EQ(decoded(coding::deflate, deflated), text);
  constexpr auto with_extra_name_comment_and_checksum =
      "\x1f\x8b\x08\x1e\x00\x00\x00\x00\x00\x03\x02\x00\x61\x62\x6e\x61\x6d\x65\x00\x63\x6f\x6d\x6d\x65\x6e\x74\x00\xa0"
      "\xf0\xcb\x48"
      "\xcd\xc9\xc9\x57\xc8\x40\x27\x01\xe3\x51\x3d\x8d\x17\x00\x00\x00"sv;
  EXPECT_EQ(decoded(coding::gzip, with_extra_name_comment_and_checksum), text);
}

TEST_F(ContentCoding, TakesMembersInARowAsOneBody) { // RFC 1952 section 2.2
  const std::string two = std::string(gzipped) + std::string(gzipped);
  EXPECT_EQ(decoded(coding::gzip, two), std::string(text) + std::string(text));
  EXPECT_EQ(decoded(coding::gzip, two + encode_all(coding::gzip, "")), std::string(text) + std::string(text));
  EXPECT_EQ(decoded(coding::gzip, two.substr(0, two.size() - 1)).substr(0, 5), "parse");
}

TEST_F(ContentCoding, RefusesABodyThatStopsAnywhere) {
  for (const auto& [c, whole] : {std::pair(coding::gzip, gzipped), std::pair(coding::deflate, deflated)}) {
    for (std::size_t n = 0; n < whole.size(); ++n)
      EXPECT_TRUE(
          decoded(c, whole.substr(0, n)).starts_with("parse: cannot decode the content: it stops before the end"))
          << to_string(c) << " after " << n;
  }
}

TEST_F(ContentCoding, RefusesWhatIsNotOfTheCoding) {
  EXPECT_TRUE(decoded(coding::gzip, "hello").starts_with("parse: cannot decode the content: the bytes up to the "));
  EXPECT_TRUE(decoded(coding::gzip, deflated).starts_with("parse"));
  EXPECT_TRUE(decoded(coding::deflate, gzipped).starts_with("parse"));
  EXPECT_TRUE(decoded(coding::deflate, deflated.substr(2)).starts_with("parse")) << "without the header of zlib";
  constexpr auto with_dictionary = "\x78\xbb\x06\x2c\x02\x15\xcb\x00\x11\x0a\x18\x24\x00\x68\x03\x08\xb1"sv;
  EXPECT_TRUE(decoded(coding::deflate, with_dictionary).starts_with("parse")) << "RFC 1950: nobody agreed on one";
}

TEST_F(ContentCoding, RefusesWhatFollowsTheEnd) {
  for (const std::string behind : {"x", "\x1f", "0000"}) {
    EXPECT_TRUE(decoded(coding::gzip, std::string(gzipped) + behind).starts_with("parse")) << behind;
    EXPECT_TRUE(decoded(coding::deflate, std::string(deflated) + behind).starts_with("parse")) << behind;
  }
  EXPECT_TRUE(decoded(coding::gzip, std::string(gzipped) + std::string(4, '\0')).starts_with("parse"));
  EXPECT_TRUE(decoded(coding::deflate, std::string(deflated) + std::string(deflated)).starts_with("parse"));
}

TEST_F(ContentCoding, NoticesEveryChangedBitOfAChecksum) {
  for (std::size_t at = gzipped.size() - 8; at < gzipped.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed(gzipped);
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_TRUE(decoded(coding::gzip, changed).starts_with("parse")) << at << " " << bit;
    }
  }
}

TEST_F(ContentCoding, AnErrorStays) {
  content_decoder decoder(coding::gzip);
  std::string out;
  auto junk = "hello hello"sv;
  ASSERT_FALSE(decoder.decode(junk, out));
  auto good = gzipped;
  const auto again = decoder.decode(good, out);
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().is(errc::parse));
  EXPECT_EQ(good.size(), gzipped.size());
  EXPECT_FALSE(decoder.finish());
  EXPECT_EQ(out, "");
}

// -- limits ---------------------------------------------------------------------------------------------------

TEST_F(ContentCoding, StopsAtTheLimitOfTheOutput) {
  const std::string body(100'000, 'x');
  const auto bytes = encode_all(coding::gzip, body);
  EXPECT_EQ(decoded(coding::gzip, bytes, {.output = 100'000, .ratio = 2'000}), body);
  for (const std::uint64_t most : {0u, 1u, 65'535u, 65'536u, 65'537u, 99'999u}) {
    content_decoder decoder(coding::gzip, {.output = most, .ratio = 2'000});
    std::string out = "before";
    std::string_view in = bytes;
    const auto done = decoder.decode(in, out);
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().is(errc::limit));
    EXPECT_EQ(done.error().message(),
              "cannot decode the content: it is longer than the limit of " + std::to_string(most) + " bytes");
    EXPECT_EQ(out, "before" + body.substr(0, most));
  }
}

TEST_F(ContentCoding, CountsAllMembersTogether) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += gzipped;
  EXPECT_TRUE(decoded(coding::gzip, bytes, {.output = 100 * text.size() - 1}).starts_with("limit"));
  EXPECT_EQ(decoded(coding::gzip, bytes, {.output = 100 * text.size()}).size(), 100 * text.size());
}

TEST_F(ContentCoding, ABombGetsLittleFurtherThanWhereRatiosAreJudged) {
  const auto bomb = encode_all(coding::gzip, std::string(8 << 20, '\0'));
  ASSERT_LT(bomb.size(), 10'000u);
  content_decoder decoder(coding::gzip, {.output = UINT64_MAX});
  std::string out;
  std::string_view in = bomb;
  const auto done = decoder.decode(in, out);
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().is(errc::limit));
  EXPECT_TRUE(done.error().message().ends_with(", more than 200 for each")) << done.error().message();
  EXPECT_LE(out.size(), 2 * 65'536u);
  EXPECT_EQ(decoded(coding::gzip, bomb, {.output = 8 << 20, .ratio = 1'100}).size(), std::size_t{8} << 20);
}

TEST_F(ContentCoding, AnyRatioIsAllowedForLittle) {
  const std::string body(60'000, ' ');
  EXPECT_EQ(decoded(coding::gzip, encode_all(coding::gzip, body)), body);
}

TEST(ContentCodingIdentity, CopiesUpToTheLimit) {
  EXPECT_EQ(decoded(coding::identity, text), text);
  EXPECT_EQ(decoded(coding::identity, ""), "");
  EXPECT_EQ(decoded(coding::identity, text, {.output = text.size()}), text);
  EXPECT_TRUE(decoded(coding::identity, text, {.output = text.size() - 1}).starts_with("limit"));
  EXPECT_EQ(decoded(coding::identity, std::string(1'000'000, 'x')).size(), 1'000'000u);
  EXPECT_EQ(encode_all(coding::identity, text), text);
  std::mt19937 random(1);
  EXPECT_EQ(decode_split(coding::identity, std::string(100'000, 'x'), random), std::string(100'000, 'x'));
}

// -- both ways ------------------------------------------------------------------------------------------------

TEST_F(ContentCoding, AFlushSendsAllThatWentIn) {
  for (const auto c : {coding::gzip, coding::deflate}) {
    content_encoder encoder(c);
    content_decoder decoder(c);
    std::string out;
    for (const std::string piece : {"one ", "two ", "", "three"}) {
      std::string bytes;
      encoder.encode(piece, bytes);
      encoder.flush(bytes);
      std::string_view in = bytes;
      std::string got;
      ASSERT_TRUE(decoder.decode(in, got));
      EXPECT_EQ(got, piece);
    }
    EXPECT_FALSE(decoder.finish());
    encoder.finish(out);
    std::string_view in = out;
    std::string rest;
    ASSERT_TRUE(decoder.decode(in, rest));
    EXPECT_EQ(rest, "");
    EXPECT_TRUE(decoder.finish());
  }
}

TEST_F(ContentCoding, AFinishedEncoderIsRefused) {
  content_encoder encoder(coding::gzip);
  std::string out;
  encoder.finish(out);
  EXPECT_EQ(decoded(coding::gzip, out), "");
  EXPECT_THROW(encoder.encode("x", out), usage_error);
  EXPECT_THROW(encoder.flush(out), usage_error);
  EXPECT_THROW(encoder.finish(out), usage_error);
  EXPECT_THROW(content_encoder(coding::gzip, 0), usage_error);
  EXPECT_THROW(content_encoder(coding::gzip, 10), usage_error);
}

TEST_F(ContentCoding, MovesWithItsStateInside) {
  content_encoder first(coding::gzip);
  std::string out;
  first.encode(text.substr(0, 7), out);
  auto second = std::move(first);
  second.encode(text.substr(7), out);
  second.finish(out);
  content_decoder reader(coding::gzip);
  std::string got;
  auto in = std::string_view(out).substr(0, 12);
  ASSERT_TRUE(reader.decode(in, got));
  auto moved = std::move(reader);
  in = std::string_view(out).substr(12);
  ASSERT_TRUE(moved.decode(in, got));
  EXPECT_TRUE(moved.finish());
  EXPECT_EQ(got, text);
}

TEST_F(ContentCoding, RandomBodiesComeBackHoweverTheyAreSplit) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    for (const auto c : {coding::gzip, coding::deflate, coding::identity}) {
      const auto body = random_text(random, random() % 30'000);
      const auto bytes = encode_split(c, body, random, round % 2 == 0);
      ASSERT_TRUE(decode_split(c, bytes, random) == body) << to_string(c) << " round " << round;
    }
  }
}

TEST_F(ContentCoding, MoreMeansThatNothingIsKeptBack) {
  // Single bytes that each become some hundred: what a piece gives is more than the room and than zlib's step.
  const auto bytes = encode_all(coding::gzip, std::string(400'000, 'x'));
  const decode_limits most{.output = UINT64_MAX, .ratio = UINT64_MAX};
  content_decoder wide(coding::gzip, most);
  content_decoder narrow(coding::gzip, most);
  std::string from_wide;
  std::string from_narrow;
  for (std::size_t at = 0; at < bytes.size(); at += 100) {
    auto in = std::string_view(bytes).substr(at, 100);
    auto again = in;
    ASSERT_EQ(wide.decode(in, from_wide).value(), progress::more);
    while (narrow.decode(again, from_narrow, 20'000).value() == progress::full) {}
    ASSERT_EQ(from_narrow.size(), from_wide.size()) << at;
    if (at == 100) {
      EXPECT_GT(from_wide.size(), 3 * 16'384u) << "less than zlib gives in a step";
    }
  }
  EXPECT_TRUE(wide.finish());
  EXPECT_EQ(from_wide.size(), 400'000u);
}

TEST_F(ContentCoding, RandomDamageIsNeverMoreThanAnError) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    const auto body = random_text(random, random() % 2'000);
    auto bytes = encode_all(coding::gzip, body);
    for (auto n = 1 + random() % 4; n != 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto got = decode_all(coding::gzip, bytes, {.output = 10'000});
    EXPECT_TRUE(!got || *got == body) << "only what no checksum covers may change";
  }
}

} // namespace
} // namespace greenroom::http::internal::content_coding_test
