#include <greenroom/http/internal/websocket_handshake.hpp>

#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/uuid/detail/sha1.hpp>
#include <gtest/gtest.h>

#include <greenroom/http/internal/sha1.hpp>
#include <greenroom/tests/http/parser_kit.hpp>

namespace greenroom::http::internal::websocket_handshake_test {
namespace {

using test::read_one;

// -- the key ----------------------------------------------------------------------------------------------

std::string hex(const std::array<unsigned char, 20>& digest) {
  std::string text;
  for (const auto byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

TEST(Sha1, GivesTheDigestsOfItsStandard) {
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(hex(sha1(std::string(1'000'000, 'a'))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Sha1, AgreesWithBoostsForEveryLength) {
  std::string text;
  for (int n = 0; n < 300; ++n, text += static_cast<char>('a' + n % 31)) {
    boost::uuids::detail::sha1 other;
    other.process_bytes(text.data(), text.size());
    boost::uuids::detail::sha1::digest_type digest;
    other.get_digest(digest);
    std::array<unsigned char, 20> theirs;
    static_assert(sizeof digest == sizeof theirs);
    std::memcpy(theirs.data(), digest, sizeof digest);
    for (std::size_t word = 0; word < 5 && sizeof digest[0] == 4; ++word) { // before Boost 1.86 these are numbers
      for (std::size_t i = 0; i < 4; ++i) {
        theirs[4 * word + i] = static_cast<unsigned char>(digest[word] >> (24 - 8 * i) & 0xff);
      }
    }
    ASSERT_EQ(hex(sha1(text)), hex(theirs)) << n << " bytes";
  }
}

TEST(Base64, GivesTheTextsOfItsStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("\xfb\xff\xbf"), "+/+/");
}

TEST(WebsocketHandshake, AnswersTheKeyOfTheStandardAsItDoes) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

// -- the server's side --------------------------------------------------------------------------------------

/// A request for a WebSocket with one field changed: `name: value` in place of the usual one, or in addition.
class asking {
public:
  asking& line(std::string text) { return line_ = std::move(text), *this; }
  asking& set(std::string_view name, std::string value) {
    for (auto& [known, old] : fields_) {
      if (known == name) return old = std::move(value), *this;
    }
    return add(std::string(name), std::move(value));
  }
  asking& add(std::string name, std::string value) {
    return fields_.emplace_back(std::move(name), std::move(value)), *this;
  }
  asking& without(std::string_view name) {
    std::erase_if(fields_, [name](const auto& f) { return f.first == name; });
    return *this;
  }
  asking& body(std::string text) {
    add("Content-Length", std::to_string(text.size()));
    return body_ = std::move(text), *this;
  }
  upgrade_answer answer(const websocket_options& how = {}) const {
    std::string bytes = line_ + "\r\n";
    for (const auto& [name, value] : fields_) bytes += name + ": " + value + "\r\n";
    return answer_upgrade(read_one(bytes + "\r\n" + body_), how);
  }

private:
  std::string line_ = "GET /chat HTTP/1.1";
  std::vector<std::pair<std::string, std::string>> fields_{{"Host", "server.example.com"},
                                                           {"Upgrade", "websocket"},
                                                           {"Connection", "Upgrade"},
                                                           {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                                           {"Sec-WebSocket-Version", "13"}};
  std::string body_;
};

/// The answer in words.
std::string told(const upgrade_answer& answer) {
  std::string text = std::to_string(answer.status);
  for (const auto& [name, value] : answer.fields) text += " " + name + "=" + value;
  return text;
}

const std::string accepted =
    "101 Upgrade=websocket Connection=Upgrade Sec-WebSocket-Accept=s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const std::string upgrade_required = "426 Upgrade=websocket Sec-WebSocket-Version=13";

TEST(WebsocketHandshake, AcceptsWhatTheStandardShows) {
  const auto answer = asking().answer();
  EXPECT_TRUE(answer.accepted());
  EXPECT_EQ(told(answer), accepted);
  EXPECT_EQ(answer.protocol, "");
}

TEST(WebsocketHandshake, LooksAtWordsInListsAndWithoutCase) {
  EXPECT_EQ(told(asking().set("Connection", "keep-alive, Upgrade").answer()), accepted);
  EXPECT_EQ(told(asking().set("Connection", "UPGRADE").set("Upgrade", "WebSocket").answer()), accepted);
  EXPECT_EQ(told(asking().set("Upgrade", "h2c, websocket").answer()), accepted);
  EXPECT_EQ(told(asking().set("Connection", "keep-alive").add("connection", "upgrade").answer()), accepted);
  EXPECT_EQ(told(asking().add("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits").answer()),
            accepted)
      << "an extension that is not picked is not named";
}

TEST(WebsocketHandshake, RefusesWhatIsNoRequestForAWebsocket) {
  EXPECT_EQ(told(asking().line("POST /chat HTTP/1.1").answer()), "405 Allow=GET");
  EXPECT_EQ(told(asking().line("GET /chat HTTP/1.0").answer()), "400");
  EXPECT_EQ(told(asking().body("frames?").answer()), "400");
  EXPECT_EQ(told(asking().without("Upgrade").answer()), upgrade_required);
  EXPECT_EQ(told(asking().set("Upgrade", "websockets").answer()), upgrade_required);
  EXPECT_EQ(told(asking().without("Connection").answer()), upgrade_required);
  EXPECT_EQ(told(asking().set("Connection", "keep-alive").answer()), upgrade_required);
}

TEST(WebsocketHandshake, RefusesOtherVersionsAndNamesItsOwn) {
  for (const auto version : {"8", "7", "0", "013", "13, 8", "x", ""}) {
    EXPECT_EQ(told(asking().set("Sec-WebSocket-Version", version).answer()), upgrade_required) << version;
  }
  EXPECT_EQ(told(asking().without("Sec-WebSocket-Version").answer()), upgrade_required);
  EXPECT_EQ(told(asking().add("Sec-WebSocket-Version", "13").answer()), "400");
}

TEST(WebsocketHandshake, RefusesAKeyThatIsNotSixteenBytes) {
  for (const auto key : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                         "dGhlIHNhbXBsZSBub25jZWE=", "dGhlIHNhbXBsZSBub25j====", "dGhlIHNhbXBsZSBub2 jZQ==",
                         "dGhlIHNhbXBsZSBub2-jZQ==", "dGhlIHNhbXBsZSBub25jZ=A="}) {
    EXPECT_EQ(told(asking().set("Sec-WebSocket-Key", key).answer()), "400") << key;
  }
  EXPECT_EQ(told(asking().without("Sec-WebSocket-Key").answer()), "400");
  EXPECT_EQ(told(asking().add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").answer()), "400");
}

TEST(WebsocketHandshake, TakesPagesOfItsOwnHostAndClientsThatAreNoBrowsers) {
  const auto from = [](std::string origin, std::string host) {
    return asking().set("Host", std::move(host)).add("Origin", std::move(origin)).answer().status;
  };
  EXPECT_EQ(from("http://server.example.com", "server.example.com"), 101);
  EXPECT_EQ(from("https://Server.Example.com", "server.example.COM"), 101) << "behind a proxy that ends TLS";
  EXPECT_EQ(from("https://server.example.com", "server.example.com:443"), 101);
  EXPECT_EQ(from("http://server.example.com:8080", "server.example.com:8080"), 101);
  EXPECT_EQ(from("http://[::1]:8080", "[::1]:8080"), 101);

  EXPECT_EQ(from("http://evil.example", "server.example.com"), 403);
  EXPECT_EQ(from("http://server.example.com.evil.example", "server.example.com"), 403);
  EXPECT_EQ(from("http://evilserver.example.com", "server.example.com"), 403);
  EXPECT_EQ(from("http://server.example.com:8080", "server.example.com"), 403);
  EXPECT_EQ(from("http://server.example.com", "server.example.com:443"), 403);
  EXPECT_EQ(from("http://", "server.example.com"), 403);
  EXPECT_EQ(from("server.example.com", "server.example.com"), 403);
  EXPECT_EQ(from("null", "server.example.com"), 403);
  EXPECT_EQ(from("null", "null"), 403);
  EXPECT_EQ(from("", "server.example.com"), 403);
  const std::string same = "http://server.example.com";
  EXPECT_EQ(asking().add("Origin", same).add("Origin", same).answer().status, 403);
}

TEST(WebsocketHandshake, TakesTheOriginsOfItsListInstead) {
  const auto from = [](std::string origin, std::vector<std::string> allowed) {
    websocket_options how;
    how.origins = std::move(allowed);
    return asking().add("Origin", std::move(origin)).answer(how).status;
  };
  EXPECT_EQ(from("https://shop.example", {"https://other.example", "https://SHOP.example"}), 101);
  EXPECT_EQ(from("http://shop.example", {"https://shop.example"}), 403);
  EXPECT_EQ(from("https://shop.example:444", {"https://shop.example"}), 403);
  EXPECT_EQ(from("http://server.example.com", {"https://shop.example"}), 403) << "its own host is no exception";
  EXPECT_EQ(from("http://anybody.example", {"*"}), 101);
  EXPECT_EQ(from("null", {"*"}), 101);
}

TEST(WebsocketHandshake, PicksTheFirstOfItsProtocolsThatIsOffered) {
  websocket_options how;
  how.protocols = {"chat.v2", "chat.v1"};
  const auto picked = [&how](std::vector<std::string> lines) {
    asking a;
    for (auto& line : lines) a.add("Sec-WebSocket-Protocol", std::move(line));
    const auto answer = a.answer(how);
    const auto shown = answer.protocol.empty() ? "" : " Sec-WebSocket-Protocol=" + answer.protocol;
    EXPECT_EQ(told(answer), answer.accepted() ? accepted + shown : "400");
    return answer.accepted() ? answer.protocol : "refused";
  };
  EXPECT_EQ(picked({"chat.v1, chat.v2"}), "chat.v2");
  EXPECT_EQ(picked({"chat.v1"}), "chat.v1");
  EXPECT_EQ(picked({"other", "chat.v1"}), "chat.v1");
  EXPECT_EQ(picked({"Chat.V1"}), "") << "names of protocols have case";
  EXPECT_EQ(picked({"other"}), "");
  EXPECT_EQ(picked({}), "");
  EXPECT_EQ(picked({"chat.v1, chat.v1"}), "refused");
  EXPECT_EQ(picked({"chat v1"}), "refused");
}

// -- the client's side --------------------------------------------------------------------------------------

TEST(WebsocketHandshake, AsksAsTheServerSideExpects) {
  websocket_options how;
  how.protocols = {"a", "b"};
  how.fields = {{"Authorization", "Bearer x"}};
  const auto asked = upgrade_request("shop.example:8080", "/live?since=4", "dGhlIHNhbXBsZSBub25jZQ==", how);
  ASSERT_TRUE(asked) << asked.error().message();
  EXPECT_EQ(*asked,
            "GET /live?since=4 HTTP/1.1\r\nHost: shop.example:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: a, b\r\nAuthorization: Bearer x\r\n\r\n");
  EXPECT_EQ(told(answer_upgrade(read_one(*asked), {})), accepted);
}

TEST(WebsocketHandshake, DrawsKeysThatTheServerSideTakes) {
  std::set<std::string> drawn;
  for (int i = 0; i < 20; ++i) {
    const auto key = new_key();
    EXPECT_TRUE(asking().set("Sec-WebSocket-Key", key).answer().accepted()) << key;
    drawn.insert(key);
  }
  EXPECT_EQ(drawn.size(), 20u);
}

TEST(WebsocketHandshake, DoesNotAskForWhatCannotBe) {
  const auto fault = [](std::string_view host, std::string_view target, websocket_options how = {}) {
    const auto asked = upgrade_request(host, target, "k", how);
    return asked ? "asked" : std::string(to_string(asked.error().code()));
  };
  EXPECT_EQ(fault("host", "/"), "asked");
  for (const auto host : {"", "a b", "host\r\nX: y", "host/path"})
    EXPECT_EQ(fault(host, "/"), "invalid_argument") << host;
  for (const auto target : {"", "chat", "/a b", "/a\r\nX: y", "/a#b", "http://host/"}) {
    EXPECT_EQ(fault("host", target), "invalid_argument") << target;
  }
  const auto with = [&fault](std::string name, std::string value) {
    websocket_options how;
    how.fields.emplace_back(std::move(name), std::move(value));
    return fault("host", "/", how);
  };
  EXPECT_EQ(with("Cookie", "a=b"), "asked");
  EXPECT_EQ(with("Cookie", "a=b\r\nX: y"), "invalid_argument");
  EXPECT_EQ(with("Coo kie", "a"), "invalid_argument");
  EXPECT_EQ(with("", "a"), "invalid_argument");
  for (const auto name :
       {"Host", "sec-websocket-key", "Sec-WebSocket-Extensions", "Content-Length", "Transfer-Encoding"}) {
    EXPECT_EQ(with(name, "1"), "invalid_argument") << name;
  }
}

struct answer_row {
  std::string head;
  std::string expected; // the protocol in quotes, or a part of the sentence
};

TEST(WebsocketHandshake, ChecksTheAnswerOfTheServer) {
  websocket_options how;
  how.protocols = {"a", "b"};
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  const std::string ok = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade";
  const std::string proof = "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
  const std::vector<answer_row> table{
      {ok + proof, "''"},
      {ok + proof + "\r\nSec-WebSocket-Protocol: b", "'b'"},
      {"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: upgrade" + proof, "''"},
      {ok, "does not prove that it has read our key"},
      {ok + "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=", "does not prove"},
      {ok + proof + proof, "does not prove"},
      {ok + proof + "\r\nSec-WebSocket-Protocol: c", "picks a subprotocol that was not offered"},
      {ok + proof + "\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b", "picks a subprotocol"},
      {ok + proof + "\r\nSec-WebSocket-Extensions: permessage-deflate", "uses an extension that was not offered"},
      {"HTTP/1.1 101 x\r\nConnection: upgrade" + proof, "does not say that it switches"},
      {"HTTP/1.1 101 x\r\nUpgrade: websocket" + proof, "does not say that it switches"},
      {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade" + proof, "does not say that it switches"},
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0", "answers 403 Forbidden"},
      {"HTTP/1.1 1010 x" + ok.substr(12) + proof, "does not answer in HTTP/1.1"},
      {"HTTP/1.0 101 x" + ok.substr(32) + proof, "does not answer in HTTP/1.1"},
      {"HTTP/1.1 10", "does not answer in HTTP/1.1"},
      {"SSH-2.0-x", "does not answer in HTTP/1.1"},
      {"", "does not answer in HTTP/1.1"},
      {ok + "\r\n folded" + proof, "sends a malformed header field"},
      {ok + "\r\nX : y" + proof, "sends a malformed header field"},
      {ok + "\r\n: y" + proof, "sends a malformed header field"},
      {ok + "\r\nX: a\nb" + proof, "sends a malformed header field"}};
  for (const auto& row : table) {
    const auto got = check_upgrade(row.head, key, how);
    const auto text = got ? "'" + *got + "'" : std::string(got.error().message());
    EXPECT_NE(text.find(row.expected), std::string::npos) << text << "\nof " << row.head;
  }
}

} // namespace
} // namespace greenroom::http::internal::websocket_handshake_test
