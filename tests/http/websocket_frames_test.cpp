#include <greenroom/http/internal/websocket_frames.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/tests/http/websocket_kit.hpp>

namespace greenroom::http::internal::websocket_frames_test {
namespace {

using namespace http::test;

struct row {
  std::string_view section; // of RFC 6455
  std::string bytes;        // of a client
  std::string expected;
};

void check(const std::vector<row>& table, const websocket_limits& most = {}) {
  for (const auto& each : table) {
    EXPECT_EQ(tell_however_split(each.bytes, websocket_role::server, most), each.expected) << each.section;
  }
}

const std::string reserved_bit = "failed 1002 a frame has a reserved bit set, and no extension was agreed on";
std::string reserved_opcode(int n) { return "failed 1002 a frame has the reserved opcode " + std::to_string(n); }

TEST(WebsocketFrames, GiveMessagesOfEveryLengthThatChangesTheirForm) {
  for (const std::size_t n :
       {0u, 1u, 7u, 8u, 9u, 124u, 125u, 126u, 127u, 128u, 1'000u, 65'535u, 65'536u, 65'537u, 200'000u}) {
    const auto expected = n <= 40 ? "binary '" + std::string(n, 'x') + "'" : "binary " + std::to_string(n) + " bytes";
    EXPECT_EQ(tell_however_split(frame(fin | binary_op, std::string(n, 'x'))), expected);
  }
}

TEST(WebsocketFrames, AreThoseOfTheExamplesInTheStandard) {
  const auto as_client = [](std::string_view bytes) { return tell_however_split(bytes, websocket_role::client); };
  EXPECT_EQ(as_client("\x81\x05\x48\x65\x6c\x6c\x6f"), "text 'Hello'");
  EXPECT_EQ(tell_however_split("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "text 'Hello'");
  EXPECT_EQ(as_client(std::string_view("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f")), "text 'Hello'");
  EXPECT_EQ(as_client("\x89\x05\x48\x65\x6c\x6c\x6f"), "ping 'Hello'");
  EXPECT_EQ(tell_however_split("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "pong 'Hello'");
  EXPECT_EQ(as_client(std::string("\x82\x7e\x01\x00", 4) + std::string(256, 'b')), "binary 256 bytes");
  EXPECT_EQ(as_client(std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10) + std::string(65'536, 'b')), "binary 65536 bytes");
}

TEST(WebsocketFrames, AreMaskedByClientsAndNotByServers) {
  const auto from_server = text_frame("a", false);
  const auto from_client = text_frame("a", true);
  EXPECT_EQ(tell_however_split(from_client, websocket_role::server), "text 'a'");
  EXPECT_EQ(tell_however_split(from_server, websocket_role::client), "text 'a'");
  EXPECT_EQ(tell_however_split(from_server, websocket_role::server), "failed 1002 the client has not masked a frame");
  EXPECT_EQ(tell_however_split(from_client, websocket_role::client), "failed 1002 the server has masked a frame");
  EXPECT_EQ(tell_however_split(frame(fin | ping_op, "", false)), "failed 1002 the client has not masked a frame");
}

TEST(WebsocketFrames, MayNotUseWhatIsReserved) {
  std::vector<row> table;
  for (const unsigned bit : {0x10U, 0x20U, 0x40U, 0x70U}) {
    table.push_back({"5.2", frame(fin | bit | text_op, "a"), reserved_bit});
    table.push_back({"5.2", frame(fin | bit | close_op, ""), reserved_bit});
    table.push_back({"5.2", text_frame("a") + frame(bit | binary_op, "a"), "text 'a', " + reserved_bit});
  }
  for (const int number : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    const auto opcode = static_cast<unsigned>(number);
    table.push_back({"5.2", frame(fin | opcode, ""), reserved_opcode(number)});
    table.push_back({"5.2", frame(text_op, "a") + frame(opcode, "b"), reserved_opcode(number)});
  }
  check(table);
}

TEST(WebsocketFrames, WriteTheirLengthInTheShortestForm) {
  using enum length_form;
  const auto longer = [](std::string_view n) {
    return "failed 1002 the length of a frame, " + std::string(n) + " bytes, is written longer than needed";
  };
  check({{"5.2", frame(fin | binary_op, "", true, two), longer("0")},
         {"5.2", frame(fin | binary_op, std::string(125, 'x'), true, two), longer("125")},
         {"5.2", frame(fin | binary_op, std::string(126, 'x'), true, two), "binary 126 bytes"},
         {"5.2", frame(fin | binary_op, "abc", true, eight), longer("3")},
         {"5.2", frame(fin | binary_op, std::string(65'535, 'x'), true, eight), longer("65535")},
         {"5.2", head(fin | binary_op, std::uint64_t{1} << 63, true, eight),
          "failed 1002 the length of a frame has its highest bit set"},
         {"5.2", head(fin | binary_op, UINT64_MAX, true, eight),
          "failed 1002 the length of a frame has its highest bit set"},
         {"5.2", head(fin | binary_op, UINT64_MAX >> 1, true, eight),
          "failed 1009 a frame of 9223372036854775807 bytes is longer than the limit of 1048576"}});
}

TEST(WebsocketFrames, OfControlAreShortAndWhole) {
  const std::string longer = "failed 1002 a close, ping or pong is longer than 125 bytes";
  const std::string torn = "failed 1002 a close, ping or pong comes in fragments";
  const std::string most(125, 'p');
  check({{"5.5", frame(fin | ping_op, ""), "ping ''"},
         {"5.5", frame(fin | ping_op, most), "ping 125 bytes"},
         {"5.5", frame(fin | pong_op, most), "pong 125 bytes"},
         {"5.5", frame(fin | ping_op, most + "p"), longer},
         {"5.5", frame(fin | pong_op, most + "p"), longer},
         {"5.5", frame(fin | close_op, std::string(126, '\3')), longer},
         {"5.5", frame(fin | ping_op, "a", true, length_form::eight), longer},
         {"5.5", frame(ping_op, "a"), torn},
         {"5.5", frame(pong_op, ""), torn},
         {"5.5", frame(close_op, ""), torn},
         {"5.5.2", frame(fin | ping_op, std::string("\0\xff\xfe", 3)), "ping '" + std::string("\0\xff\xfe", 3) + "'"}});
}

TEST(WebsocketFrames, JoinFragmentsAndLetControlFramesBetweenThem) {
  const std::string none = "failed 1002 a frame continues a message, but none has begun";
  const std::string early = "failed 1002 a message begins before the one before it has ended";
  const auto ping = frame(fin | ping_op, "p");
  check({{"5.4", frame(text_op, "ab") + frame(cont, "c") + frame(fin | cont, "d"), "text 'abcd'"},
         {"5.4", frame(binary_op, "") + frame(cont, "") + frame(fin | cont, ""), "binary ''"},
         {"5.4", frame(text_op, "a") + ping + frame(fin | cont, "b"), "ping 'p', text 'ab'"},
         {"5.4", frame(text_op, "a") + ping + frame(cont, "b") + ping + frame(fin | cont, ""),
          "ping 'p', ping 'p', text 'ab'"},
         {"5.4", frame(text_op, "a") + frame(fin | pong_op, "") + frame(fin | cont, "b"), "pong '', text 'ab'"},
         {"5.4", frame(text_op, "a") + close_frame(1000), "close 1000 '', unfinished"},
         {"5.4", frame(fin | cont, "a"), none},
         {"5.4", frame(cont, ""), none},
         {"5.4", text_frame("a") + frame(fin | cont, "b"), "text 'a', " + none},
         {"5.4", frame(text_op, "a") + frame(fin | cont, "b") + frame(cont, "c"), "text 'ab', " + none},
         {"5.4", frame(text_op, "a") + text_frame("b"), early},
         {"5.4", frame(binary_op, "a") + ping + frame(binary_op, "b"), "ping 'p', " + early},
         {"5.4", frame(text_op, "a"), "unfinished"},
         {"5.4", text_frame("a") + frame(fin | binary_op, "b") + text_frame("c"), "text 'a', binary 'b', text 'c'"}});
}

TEST(WebsocketFrames, CloseWithACodeThatMayBeSent) {
  for (unsigned code = 0; code < 6'000; ++code) {
    const bool allowed =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code < 5000);
    const auto number = std::to_string(code);
    EXPECT_EQ(tell(close_frame(code), websocket_role::server),
              allowed ? "close " + number + " ''"
                      : "failed 1002 a close frame has the code " + number + ", which is never sent");
    EXPECT_EQ(may_be_sent(static_cast<std::uint16_t>(code)), allowed);
  }
  EXPECT_EQ(tell(close_frame(65'535), websocket_role::server),
            "failed 1002 a close frame has the code 65535, which is never sent");
  const std::string longest(123, 'r');
  check({{"5.5.1", frame(fin | close_op, ""), "close 1005 ''"},
         {"5.5.1", frame(fin | close_op, "\3"), "failed 1002 a close frame has one byte, too short for a code"},
         {"5.5.1", close_frame(1000, "done"), "close 1000 'done'"},
         {"5.5.1", close_frame(4999, longest), "close 4999 123 bytes"},
         {"7.1.6", close_frame(1000, "\xe2\x82\xac"), "close 1000 '\xe2\x82\xac'"},
         {"7.1.6", close_frame(1000, "\xe2\x82"), "failed 1007 the reason in a close frame is not UTF-8"},
         {"7.1.6", close_frame(1000, "\xff"), "failed 1007 the reason in a close frame is not UTF-8"}});
}

// -- UTF-8 ------------------------------------------------------------------------------------------------

/// The rules as the standard words them: decode, then look at the number.
bool decodes(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&text](std::size_t k) -> std::uint32_t { return static_cast<unsigned char>(text[k]); };
    const std::size_t length = at(i) < 0x80 ? 1 : at(i) >> 5 == 6 ? 2 : at(i) >> 4 == 14 ? 3 : at(i) >> 3 == 30 ? 4 : 0;
    if (length == 0 || text.size() - i < length) return false;
    std::uint32_t c = length == 1 ? at(i) : at(i) & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if (at(i + k) >> 6 != 2) return false;
      c = c << 6 | (at(i + k) & 63);
    }
    const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return false;
    i += length;
  }
  return true;
}

TEST(Utf8Check, AgreesWithDecodingOnAllShortTexts) {
  std::uint64_t wrong = 0;
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const std::string two{static_cast<char>(a), static_cast<char>(b)};
      wrong += is_utf8(two) != decodes(two);
      for (const unsigned c : {0x00U, 0x7fU, 0x80U, 0x8fU, 0x90U, 0x9fU, 0xa0U, 0xbfU, 0xc0U, 0xffU}) {
        const auto three = two + static_cast<char>(c);
        wrong += is_utf8(three) != decodes(three);
        for (const unsigned d : {0x7fU, 0x80U, 0xbfU, 0xc0U}) {
          const auto four = three + static_cast<char>(d);
          wrong += is_utf8(four) != decodes(four);
        }
      }
    }
  }
  EXPECT_EQ(wrong, 0u);
}

TEST(Utf8Check, AgreesWithDecodingOnRandomTexts) {
  const auto seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  xoshiro random(seed);
  const std::vector<std::string> parts{
      "a",        "plain ascii text", "\xc3\xa9",         "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\xa0\x80",
      "\xc0\xaf", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\x80",         "\xe2\x82",         "\xef\xbf\xbf"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random.below(6); n > 0; --n) text += parts[random.below(parts.size())];
    utf8_check split;
    const auto at = random.below(text.size() + 1);
    (void)split.take(std::string_view(text).substr(0, at));
    const bool sound = split.take(std::string_view(text).substr(at)) && split.may_end();
    ASSERT_EQ(is_utf8(text), decodes(text)) << testing::PrintToString(text);
    ASSERT_EQ(sound, decodes(text)) << "split at " << at << ": " << testing::PrintToString(text);
  }
}

TEST(WebsocketFrames, OfTextAreUtf8AsAWholeMessage) {
  const std::string bad = "failed 1007 a text message is not UTF-8";
  const std::string cut = "failed 1007 a text message ends within a character";
  check(
      {{"8.1", text_frame("\xf0\x9f\x98\x80"), "text '\xf0\x9f\x98\x80'"},
       {"8.1", frame(text_op, "\xf0\x9f") + frame(cont, "") + frame(fin | cont, "\x98\x80"), "text '\xf0\x9f\x98\x80'"},
       {"8.1", frame(text_op, "\xe2") + frame(fin | ping_op, "\xff") + frame(fin | cont, "\x82\xac"),
        "ping '\xff', text '\xe2\x82\xac'"},
       {"8.1", text_frame("\xed\xa0\x80"), bad},
       {"8.1", text_frame("\xc0\xaf"), bad},
       {"8.1", text_frame("ok\xe2\x82"), cut},
       {"8.1", frame(text_op, "ok\xe2") + frame(fin | cont, ""), cut},
       {"8.1", text_frame("a\xe2\x82") + text_frame("\xac"), cut},
       {"5.6", frame(fin | binary_op, "\xff\xfe"), "binary '\xff\xfe'"},
       {"5.6", text_frame(std::string("\0", 1)), "text '" + std::string("\0", 1) + "'"}});
}

TEST(WebsocketFrames, OfTextFailAtTheFirstByteThatCannotBe) {
  const auto whole = frame(text_op, std::string(1'000, 'a') + "\xf4\x90" + std::string(1'000, 'a'));
  const auto bad = whole.size() - 1'000;
  EXPECT_EQ(tell(std::string_view(whole).substr(0, bad - 1), websocket_role::server), "unfinished");
  EXPECT_EQ(tell(std::string_view(whole).substr(0, bad), websocket_role::server),
            "failed 1007 a text message is not UTF-8");
}

// -- limits -----------------------------------------------------------------------------------------------

TEST(WebsocketFrames, BeyondALimitAreRefusedByTheirHead) {
  const websocket_limits most{.message = 10, .frame = 6, .fragments = 3};
  const std::string too_many = "failed 1009 a message has more frames than the limit of 3";
  const std::string too_long = "failed 1009 a message is longer than the limit of 10 bytes";
  check({{"10.4", text_frame("123456"), "text '123456'"},
         {"10.4", head(fin | text_op, 7, true), "failed 1009 a frame of 7 bytes is longer than the limit of 6"},
         {"10.4", frame(text_op, "12345") + frame(fin | cont, "67890"), "text '1234567890'"},
         {"10.4", frame(text_op, "12345") + head(fin | cont, 6, true), too_long},
         {"10.4", frame(text_op, "1") + frame(cont, "") + frame(fin | cont, ""), "text '1'"},
         {"10.4", frame(text_op, "1") + frame(cont, "") + frame(cont, "") + head(fin | cont, 0, true), too_many},
         {"10.4",
          frame(text_op, "1") + frame(cont, "") + frame(fin | ping_op, "longer than a frame") + frame(fin | cont, ""),
          "ping 'longer than a frame', text '1'"},
         {"10.4", text_frame("1") + text_frame("2") + text_frame("3") + text_frame("4"),
          "text '1', text '2', text '3', text '4'"}},
        most);
}

TEST(WebsocketFrames, ReserveNothingForALengthThatIsOnlyAnnounced) {
  const websocket_limits most{.message = SIZE_MAX / 2, .frame = SIZE_MAX / 2};
  EXPECT_EQ(tell(head(fin | binary_op, std::uint64_t{1} << 60, true) + "abc", websocket_role::server, most),
            "unfinished");
}

TEST(WebsocketFrames, TakeNothingBehindAFault) {
  const websocket_limits most;
  frame_reader reader(websocket_role::server, most);
  const auto bytes = frame(fin | 0x40 | text_op, "a") + text_frame("b");
  std::string_view left = bytes;
  EXPECT_EQ(reader.read(left), frame_reader::event::failed);
  EXPECT_EQ(left.size(), bytes.size() - 1) << "the first byte says it";
  EXPECT_EQ(reader.read(left), frame_reader::event::failed);
  EXPECT_EQ(left.size(), bytes.size() - 1);
}

// -- writing ----------------------------------------------------------------------------------------------

TEST(WebsocketFrames, AreMadeAsTheStandardHasThem) {
  const mask_key key{0x11, 0x82, 0xf3, 0x04};
  for (const std::size_t n : {0u, 1u, 3u, 4u, 5u, 8u, 11u, 125u, 126u, 127u, 65'535u, 65'536u}) {
    for (const auto kind : {frame_kind::text, frame_kind::binary, frame_kind::ping}) {
      if (kind == frame_kind::ping && n > most_control) continue;
      std::string payload;
      for (std::size_t i = 0; i < n; ++i) payload += static_cast<char>('a' + i % 23);
      auto plain = payload;
      auto masked = payload;
      make_frame(plain, kind, nullptr);
      make_frame(masked, kind, &key);
      EXPECT_EQ(plain, frame(fin | static_cast<unsigned>(kind), payload, false));
      EXPECT_EQ(masked, frame(fin | static_cast<unsigned>(kind), payload, true));
    }
  }
}

TEST(WebsocketFrames, CutTheReasonForAClosingBetweenCharacters) {
  EXPECT_EQ(close_payload(1005, "unheard"), "");
  EXPECT_EQ(close_payload(1000, ""), "\x03\xe8");
  EXPECT_EQ(close_payload(4000, std::string(123, 'r')).substr(2), std::string(123, 'r'));
  EXPECT_EQ(close_payload(4000, std::string(124, 'r')).substr(2), std::string(123, 'r'));
  EXPECT_EQ(close_payload(4000, std::string(121, 'r') + "\xe2\x82\xac").substr(2), std::string(121, 'r'));
  EXPECT_EQ(close_payload(4000, std::string(120, 'r') + "\xe2\x82\xac").size(), 125u);
}

TEST(WebsocketFrames, AreMaskedWithKeysThatDiffer) {
  std::vector<mask_key> drawn;
  for (int i = 0; i < 8; ++i) drawn.push_back(random_mask());
  EXPECT_GT(std::set<mask_key>(drawn.begin(), drawn.end()).size(), 6u);
}

} // namespace
} // namespace greenroom::http::internal::websocket_frames_test
