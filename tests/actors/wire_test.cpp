#include <greenroom/actors/wire.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace wired {

enum class colour : std::uint8_t { red, green };

struct line {
  std::string sku;
  std::int32_t pieces = 0;
  friend bool operator==(const line&, const line&) = default;
};
template <class Inspector>
bool inspect(Inspector& f, line& x) {
  return f.object(x).fields(f.field("sku", x.sku), f.field("pieces", x.pieces));
}

struct cents {
  std::int64_t value = 0;
  friend bool operator==(const cents&, const cents&) = default;
};
template <class Inspector>
bool inspect(Inspector& f, cents& x) {
  return f.apply(x.value);
}

struct order {
  std::uint64_t id = 0;
  std::vector<line> lines;
  std::optional<std::string> note;
  cents total;
  colour paint = colour::red;
  std::map<std::string, double> rates;
  std::variant<std::monostate, std::string, std::int16_t> extra;
  std::chrono::milliseconds limit{};
  friend bool operator==(const order&, const order&) = default;
};
template <class Inspector>
bool inspect(Inspector& f, order& x) {
  return f.object(x)
      .pretty_name("wired.order")
      .fields(f.field("id", x.id), f.field("lines", x.lines), f.field("note", x.note), f.field("total", x.total),
              f.field("paint", x.paint), f.field("rates", x.rates), f.field("extra", x.extra),
              f.field("limit", x.limit));
}

struct tree {
  std::vector<tree> below;
  friend bool operator==(const tree&, const tree&) = default;
};
template <class Inspector>
bool inspect(Inspector& f, tree& x) {
  return f.object(x).fields(f.field("below", x.below));
}

struct nothing {};
template <class Inspector>
bool inspect(Inspector& f, nothing& x) {
  return f.object(x).fields();
}

} // namespace wired

namespace greenroom {

template <>
inline constexpr std::uint32_t wire_version<wired::cents> = 3;

namespace {

template <class T>
void comes_back(const T& value) {
  const auto bytes = wire_encode(value);
  const auto again = wire_decode<T>(bytes);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, value);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(wire_decode<T>(std::string_view(bytes).substr(0, n))) << n << " bytes are enough";
  }
  EXPECT_FALSE(wire_decode<T>(bytes + "x"));
}

const wired::order whole{7,      {{"apple", 3}, {"", -1}},    "gift",
                         {-250}, wired::colour::green,        {{"EUR", 1.5}, {"USD", -0.0}},
                         "said", std::chrono::milliseconds(9)};

TEST(Wire, EachKindOfValueComesBackAsItWas) {
  comes_back(true);
  comes_back(std::int8_t{-5});
  comes_back(std::uint64_t{~0ull});
  comes_back(-1.25f);
  comes_back(std::string("a\0b", 3));
  comes_back(std::vector<bool>{true, false, true});
  comes_back(std::deque<std::string>{"x", ""});
  comes_back(std::array<std::int16_t, 3>{1, 2, 3});
  comes_back(std::set<int>{3, 1, 2});
  comes_back(std::map<int, std::vector<std::string>>{{1, {"a"}}, {2, {}}});
  comes_back(std::tuple<int, std::string>{1, "b"});
  comes_back(std::pair<bool, double>{true, 0.5});
  comes_back(std::optional<int>{});
  comes_back(std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)));
  comes_back(whole);
  comes_back(wired::tree{{{}, {{wired::tree{}}}}});
}

TEST(Wire, IntegersTakeTheirSizeAndTextsFourBytesMore) {
  EXPECT_EQ(wire_encode(std::uint16_t{0x0102}), std::string("\x02\x01", 2));
  EXPECT_EQ(wire_encode(std::string("ab")), std::string("\x02\0\0\0ab", 6));
  EXPECT_EQ(wire_encode(wired::line{"ab", 1}), std::string("\x02\0\0\0ab\x01\0\0\0", 10));
}

TEST(Wire, ALayoutTellsTheUnitOfATimeAndWhatIsMoreThanANumber) {
  using std::chrono::system_clock;
  EXPECT_EQ(wire_type_of<std::chrono::seconds>().layout, "s*1/1 i64");
  EXPECT_EQ(wire_type_of<std::chrono::milliseconds>().layout, "s*1/1000 i64");
  using whole_seconds = std::chrono::time_point<system_clock, std::chrono::seconds>;
  EXPECT_EQ(wire_type_of<whole_seconds>().layout, "point s*1/1 i64");
  EXPECT_EQ(wire_type_of<wired::colour>().layout, "enum u8");
}

TEST(Wire, ALayoutNamesFieldsAndTypesInTheirOrder) {
  EXPECT_EQ(wire_type_of<wired::line>().layout, "{sku:text,pieces:i32}");
  const auto type = wire_type_of<wired::order>();
  EXPECT_EQ(type.name, "wired.order");
  EXPECT_EQ(type.layout, "{id:u64,lines:[{sku:text,pieces:i32}],note:text?,total:i64,paint:enum u8,rates:[key "
                         "(text,f64,)],extra:<|text|i16|>,limit:s*1/1000 i64}");
  EXPECT_EQ(wire_type_of<wired::tree>().layout, "{below:[^wired::tree]}");
  EXPECT_EQ(wire_type_of<wired::nothing>().layout, "{}");
  EXPECT_EQ(wire_type_of<wired::cents>(), (wire_type{"wired::cents", 3, "i64"}));
}

TEST(Wire, WhatDiffersIsSaid) {
  const auto ours = wire_type_of<wired::line>();
  EXPECT_TRUE(compare_wire_types(ours, ours));
  auto theirs = ours;
  theirs.layout = "{sku:text}";
  EXPECT_EQ(compare_wire_types(ours, theirs).error().message().substr(0, 82),
            "the fields of wired::line differ: {sku:text,pieces:i32} here, {sku:text} there; bu");
  theirs = ours;
  theirs.version = 2;
  EXPECT_EQ(compare_wire_types(ours, theirs).error().message().substr(0, 57),
            "the versions of wired::line differ: 1 here, 2 there; buil");
  theirs.name = "wired::row";
  EXPECT_EQ(compare_wire_types(ours, theirs).error().message().substr(0, 57),
            "the types differ: wired::line here, wired::row there; bui");
}

TEST(Wire, AFaultIsNamedWithThePathOfItsField) {
  auto bytes = wire_encode(whole);
  EXPECT_EQ(wire_decode<wired::order>(std::string_view(bytes).substr(0, 14)).error().message(),
            "cannot read wired.order from bytes: lines.sku needs 4 bytes, and 2 are left");
  EXPECT_EQ(wire_decode<bool>("\x02").error().message(), "cannot read bool from bytes: it is neither true nor false");
  EXPECT_EQ((wire_decode<std::set<bool>>(std::string("\2\0\0\0\1\1", 6)).error().message().find("it has a key twice") !=
             std::string_view::npos),
            true);
  EXPECT_EQ((wire_decode<std::variant<int>>("\x01").error().message().find("it has an alternative that is not known") !=
             std::string_view::npos),
            true);
}

TEST(Wire, ALengthBeyondTheBytesIsRefusedBeforeItIsTaken) {
  const std::string huge("\xff\xff\xff\xff", 4);
  EXPECT_EQ(wire_decode<std::string>(huge).error().message(),
            "cannot read text from bytes: it needs 4294967295 bytes, and 0 are left");
  EXPECT_FALSE(wire_decode<std::vector<std::vector<int>>>(huge + "0123456789"));
  EXPECT_FALSE(wire_decode<std::vector<wired::nothing>>(huge)) << "elements without bytes could be any number";
}

TEST(Wire, NestingIsBounded) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += std::string("\1\0\0\0", 4);
  deep += std::string("\0\0\0\0", 4);
  const auto read = wire_decode<wired::tree>(deep);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message().find("is nested too deep"), std::string_view::npos);
}

} // namespace
} // namespace greenroom
