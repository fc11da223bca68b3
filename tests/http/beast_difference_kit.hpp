// What the test beside Boost.Beast needs but Beast: requests that are generated and spoiled, and the list of what the two parsers may differ
// in, each with the section that decides, an example, and a look at the request that is slower than a parser's and independent of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http::internal::beside_beast {

using namespace std::string_literals;

// -- what the two may differ in -----------------------------------------------------------------------------

/// A request taken apart by the slowest means, to check what is said about it.
struct parts {
  explicit parts(std::string_view bytes) {
    led_by_line = bytes.starts_with("\r\n");
    const auto end = bytes.find("\r\n\r\n", led_by_line ? 2 : 0);
    auto head = bytes.substr(0, end);
    body = end == bytes.npos ? "" : bytes.substr(end + 4);
    if (led_by_line) head.remove_prefix(2);
    for (bool first = true; !head.empty(); first = false) {
      const auto line = head.substr(0, head.find("\r\n"));
      head.remove_prefix(std::min(head.size(), line.size() + 2));
      if (first) {
        split_request_line(line);
      } else {
        folded |= line.starts_with(' ') || line.starts_with('\t');
        const auto colon = std::min(line.find(':'), line.size());
        fields.emplace_back(lower(line.substr(0, colon)), line.substr(std::min(colon + 1, line.size())));
      }
    }
  }
  static std::string lower(std::string_view text) {
    std::string all(text);
    std::transform(all.begin(), all.end(), all.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    return all;
  }
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(fields.begin(), fields.end(), [name](const auto& f) { return f.first == name; }));
  }
  /// Says whether a field of that name has a value that holds one of the characters.
  bool any_of(std::string_view name, std::string_view characters) const {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& f) {
      return f.first == name && f.second.find_first_of(characters) != std::string::npos;
    });
  }
  /// All elements of the lists in fields of that name, in lower case.
  std::string joined(std::string_view name) const {
    std::string all;
    for (const auto& [n, value] : fields) {
      if (n != name) continue;
      for (auto left = std::string_view(value);; left.remove_prefix(left.find(',') + 1)) {
        all += lower(trimmed(left.substr(0, left.find(',')))) + ",";
        if (left.find(',') == left.npos) break;
      }
    }
    return all.substr(0, all.empty() ? 0 : all.size() - 1);
  }
  /// The target with its escapes and the letters of its scheme made plain.
  std::string plain_target() const {
    auto all = lower(target);
    for (const auto& [from, to] : {std::pair("%2e", "."), std::pair("%2f", "/")}) {
      for (auto at = all.find(from); at != all.npos; at = all.find(from)) all.replace(at, 3, to);
    }
    return all.substr(0, all.find('?'));
  }

  std::string method, target, version;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body; // as it came, with what is behind it
  bool led_by_line = false;
  bool folded = false;

private:
  void split_request_line(std::string_view line) {
    method = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), method.size() + 1));
    target = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), target.size() + 1));
    version = line;
  }
};

inline constexpr std::string_view host_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=%";

/// Says whether a text is no host for a reason that is easy to see. An address in brackets is not looked into.
inline bool is_odd_host(std::string_view text) {
  if (text.starts_with('[')) return true;
  const auto end = std::min(text.find_first_not_of(host_characters), text.size());
  if (end == 0 || text.find('%') != text.npos) return true;
  return end < text.size() && (text[end] != ':' || text.find_first_not_of("0123456789", end + 1) != text.npos);
}

inline bool has_bad_escape(std::string_view text) {
  for (auto at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    const auto digits = text.substr(at + 1, 2);
    if (digits.size() < 2 || digits == "00") return true;
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != digits.npos) return true;
  }
  return false;
}

/// Says whether an element of a list is no token.
inline bool is_odd_list(std::string_view list) {
  return std::any_of(list.begin(), list.end(), [](char c) { return c != ',' && !is(c, token_char); });
}

/// The lines of a chunked body, data among them.
inline bool any_line(const std::string& body, const std::function<bool(std::string_view)>& test) {
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find("\r\n", at), body.size());
    if (test(std::string_view(body).substr(at, end - at))) return true;
    at = end + 2;
  }
  return false;
}

inline std::string with(std::string_view fields, std::string_view body = "") {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
inline std::string aimed(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
inline std::string chunks(std::string_view body) { return with("Transfer-Encoding: chunked\r\n", body); }

struct difference {
  std::string_view section;
  std::string_view refusal; // a part of what the one that refuses says
  std::string example;
  bool (*holds)(const parts&); // whether the rule applies to the request at all
};

/// Beast reads what we refuse.
inline std::vector<difference> we_are_stricter() {
  return {
      {"RFC 9112 3.2: HTTP/1.1 needs a Host", "there is no Host field", "GET / HTTP/1.1\r\n\r\n",
       [](const parts& p) { return p.count("host") == 0; }},
      {"RFC 9112 3.2: one Host only", "more than one Host field", with("Host: h\r\n"),
       [](const parts& p) { return p.count("host") > 1; }},
      {"RFC 9110 4.2.1: an empty Host", "the Host field is empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
       [](const parts& p) { return p.joined("host").empty(); }},
      {"RFC 9112 3.2: an invalid Host", "the Host field names no valid host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
       [](const parts& p) { return is_odd_host(p.joined("host")) || p.any_of("host", " \t"); }},
      {"RFC 9110 10.1.1: an expectation that is not met", "417 ", with("Expect: x\r\n"),
       [](const parts& p) { return p.joined("expect") != "100-continue"; }},
      {"RFC 9112 6.3: two lengths, though equal", "more than one Content-Length",
       with("Content-Length: 1\r\nContent-Length: 1\r\n", "x"),
       [](const parts& p) { return p.count("content-length") > 1; }},
      {"RFC 9110 8.6: a list of lengths, though equal", "the Content-Length is not one number",
       with("Content-Length: 1, 1\r\n", "x"), [](const parts& p) { return p.any_of("content-length", ","); }},
      {"RFC 9112 6.1: length and coding", "both a Content-Length and a Transfer-Encoding",
       with("Transfer-Encoding: x\r\nContent-Length: 1\r\n", "x"),
       [](const parts& p) { return p.count("content-length") > 0 && p.count("transfer-encoding") > 0; }},
      {"RFC 9112 6.1: a coding in HTTP/1.0", "HTTP/1.0 request cannot have a Transfer-Encoding",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       [](const parts& p) { return p.version == "HTTP/1.0" && p.count("transfer-encoding") > 0; }},
      {"RFC 9112 6.3: a coding without chunked has no end", "does not end with chunked",
       with("Transfer-Encoding: gzip\r\n"),
       [](const parts& p) { return !("," + p.joined("transfer-encoding")).ends_with(",chunked"); }},
      {"RFC 9112 6.1: a coding that is not known", "501 this server decodes no Transfer-Encoding but chunked",
       with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
       [](const parts& p) { return p.joined("transfer-encoding") != "chunked"; }},
      {"RFC 9112 6.1: an empty element, which others may not see", "the Transfer-Encoding has an empty element",
       with("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"),
       [](const parts& p) { return ("," + p.joined("transfer-encoding") + ",").find(",,") != std::string::npos; }},
      {"RFC 9112 6.1: chunked is the last coding and once", "names chunked twice, or not as the last",
       with("Transfer-Encoding: chunked, x\r\n"),
       [](const parts& p) { return ("," + p.joined("transfer-encoding")).find(",chunked,") != std::string::npos; }},
      {"RFC 9112 5.2: a folded line, whatever it is about", "", with("A: b\r\n c\r\n"),
       [](const parts& p) { return p.folded; }},
      {"RFC 9110 9.1: a method that is not known", "501 this server does not know the method",
       "BREW / HTTP/1.1\r\nHost: h\r\n\r\n",
       [](const parts& p) { return p.method == "CONNECT" || !method_of(p.method).has_value(); }},
      {"RFC 3986 2: characters of a target", "'#' or a byte beyond ASCII", aimed("/a#b"),
       [](const parts& p) {
         return std::any_of(p.target.begin(), p.target.end(), [](char c) { return c == '#' || (c & 0x80) != 0; });
       }},
      {"RFC 3986 2.1: escapes", "the target holds a '%'", aimed("/%4"),
       [](const parts& p) { return has_bad_escape(p.target); }},
      {"RFC 9112 3.2.4: the asterisk", "the target * goes with OPTIONS only", aimed("*"),
       [](const parts& p) { return p.target == "*" && p.method != "OPTIONS"; }},
      {"RFC 9110 7.4: https without TLS", "421 an https address", aimed("https://h/"),
       [](const parts& p) { return p.plain_target().starts_with("https://"); }},
      {"RFC 9112 3.2: the forms of a target", "neither a path", aimed("a"),
       [](const parts& p) { return !p.target.starts_with('/') && !p.plain_target().starts_with("http://"); }},
      {"RFC 9112 3.2.2: the host in a target", "the target names no valid host", aimed("http:///"),
       [](const parts& p) { return is_odd_host(p.target.substr(7, p.target.find_first_of("/?", 7) - 7)); }},
      {"RFC 3986 5.2.4: dot segments, which clients resolve", "a segment . or ..", aimed("/a/%2e./b"),
       [](const parts& p) {
         const auto path = p.plain_target() + "/";
         return path.find("/./") != path.npos || path.find("/../") != path.npos;
       }},
      {"RFC 9112 7.1: a size of more digits than others can hold", "more than 16 digits",
       chunks("00000000000000000\r\n\r\n"),
       [](const parts& p) {
         return any_line(p.body, [](std::string_view line) { return line.starts_with("00000000000000000"); });
       }},
      {"RFC 9110 5.6.4: a control character within quotes", "a chunk extension holds a control character",
       chunks("1;a=\"\n\"\r\nx\r\n0\r\n\r\n"),
       [](const parts& p) {
         return any_line(p.body, [](std::string_view line) {
           return std::any_of(line.begin(), line.end(), [](char c) { return !is(c, value_char); });
         });
       }},
      {"RFC 9112 5.2: a folded line in the trailers", "a trailer field does not begin with a name",
       chunks("0\r\nA: b\r\n c\r\n\r\n"),
       [](const parts& p) {
         return p.body.find("\r\n ") != std::string::npos || p.body.find("\r\n\t") != std::string::npos;
       }},
  };
}

/// We read what Beast refuses.
inline std::vector<difference> beast_is_stricter() {
  return {
      {"RFC 9112 2.2: an empty line before a request", "bad method", "\r\n" + aimed("/"),
       [](const parts& p) { return p.led_by_line; }},
      {"RFC 9110 6.2: a later minor version", "bad version", "GET / HTTP/1.2\r\nHost: h\r\n\r\n",
       [](const parts& p) { return p.version > "HTTP/1.1" && p.version < "HTTP/2"; }},
      {"RFC 9110 7.6.1: an option that is no token is none that we know", "bad value", with("Connection: a b\r\n"),
       [](const parts& p) {
         return is_odd_list(p.joined("connection")) || is_odd_list(p.joined("proxy-connection")) ||
                parts::lower(p.body).find("connection:") != std::string::npos;
       }},
      {"RFC 9112 7.1.2: a length among the trailers says nothing", "bad Content-Length",
       chunks("0\r\nContent-Length: 1\r\n\r\n"),
       [](const parts& p) { return parts::lower(p.body).find("\r\ncontent-length:") != std::string::npos; }},
      {"RFC 9112 7.1.2: so is a coding", "bad Transfer-Encoding", chunks("0\r\nTransfer-Encoding: x\r\n\r\n"),
       [](const parts& p) { return parts::lower(p.body).find("\r\ntransfer-encoding:") != std::string::npos; }},
  };
}

/// Says whether the difference is one of those.
inline bool explained(const std::vector<difference>& list, const std::string& refusal, const std::string& bytes) {
  const parts p(bytes);
  return std::any_of(list.begin(), list.end(), [&](const difference& each) {
    return refusal.find(each.refusal) != std::string::npos && each.holds(p);
  });
}

// -- requests -----------------------------------------------------------------------------------------------

class generator {
public:
  explicit generator(unsigned seed) : random_(seed) {}

  /// One to three requests, spoiled or not.
  std::string stream() {
    std::string all = request();
    for (auto n = below(3); n != 0; --n) all += request();
    for (auto n = below(2) * below(4); n != 0; --n) spoil(all);
    return all;
  }

private:
  using texts = std::vector<std::string>;

  std::size_t below(std::size_t n) { return random_() % n; }
  std::string one_of(const texts& from) { return from[below(from.size())]; }

  std::string request() {
    static const texts methods = {"GET",   "HEAD",    "POST",  "PUT", "DELETE",
                                  "PATCH", "OPTIONS", "TRACE", "GET", "M-SEARCH"};
    static const texts targets = {"/", "/a/b?c=d", "/%41?x=%20", "http://h/a", "http://h?q",
                                  "*", "/a/./b",   "/a..b/.c",   "/{x}|\"^"};
    static const texts versions = {"HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2"};
    static const texts fields = {"A: b\r\n",
                                 "a:\t c d \t\r\n",
                                 "B:\r\n",
                                 "X-Y_z.1: \"q\", \xc3\xa9\r\n",
                                 "Connection: close\r\n",
                                 "Connection: keep-alive, x\r\n",
                                 "connection: , Close,\r\n",
                                 "Proxy-Connection: keep-alive\r\n",
                                 "Expect: 100-continue\r\n",
                                 "Upgrade: x/1\r\n",
                                 "Cookie: a=b; c=d\r\n",
                                 "Content_Length: 3\r\n"};
    std::string all = one_of(methods) + " " + one_of(targets) + " " + one_of(versions) + "\r\n";
    const bool chunked = below(4) == 0;
    const std::string content =
        below(2) == 0 ? "" : one_of({"x", "0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\0\xff\r\n"s});
    texts lines = {"Host: " + one_of({"h", "h:80", "a.b", "h", "", "[::1]", "1.2.3.4", "h.", "H"}) + "\r\n"};
    for (auto n = below(4); n != 0; --n) lines.push_back(one_of(fields));
    if (chunked) {
      lines.push_back(one_of({"Transfer-Encoding: chunked\r\n", "transfer-encoding:\tCHUNKED \r\n"}));
    } else if (!content.empty() || below(4) == 0) {
      lines.push_back("Content-Length: " + one_of({"", "00"}) + std::to_string(content.size()) + "\r\n");
    }
    std::shuffle(lines.begin(), lines.end(), random_);
    for (const auto& each : lines) all += each;
    return all + "\r\n" + (chunked ? in_chunks(content) : content);
  }
  std::string in_chunks(const std::string& content) {
    static const texts extensions = {"", "", ";a", ";a=b", " ; a = \"b;\\\"\"", ";a;b=\"\""};
    static const texts trailers = {"", "", "A: b\r\n", "A:\r\nB: c\r\n"};
    std::string all;
    if (!content.empty())
      all = one_of({"", "0"}) + to_hex(content.size()) + one_of(extensions) + "\r\n" + content + "\r\n";
    if (below(3) == 0) all += "A\r\n0123456789\r\n";
    return all + one_of({"0", "000"}) + one_of(extensions) + "\r\n" + one_of(trailers) + "\r\n";
  }
  static std::string to_hex(std::size_t n) {
    static constexpr std::string_view digits = "0123456789abcdef";
    return n < 16 ? std::string(1, digits[n]) : to_hex(n / 16) + digits[n % 16];
  }

  void spoil(std::string& bytes) {
    static const std::string characters = "\r\n \t:,;\"\\=%#*?/@+-019a\0\x0b\x7f\x80\xff"s;
    static const texts words = {"%00",
                                "%2e",
                                "/../",
                                "chunked",
                                "close",
                                "https://",
                                "HTTP/1.0",
                                "[::1]",
                                "\r\n\r\n",
                                "0\r\n\r\n",
                                "00000000000000000",
                                "ffffffffffffffff",
                                "18446744073709551616",
                                "Content-Length: 1\r\n",
                                "Content-Length: 3\r\n",
                                "Transfer-Encoding: chunked\r\n",
                                "Transfer-Encoding: gzip, chunked\r\n",
                                "Transfer-Encoding: identity\r\n",
                                "Connection: a b\r\n",
                                "Expect: x\r\n",
                                "A: b\r\n c\r\n",
                                "Host: i\r\n"};
    const auto fragment = below(2) == 0 ? std::string(1, characters[below(characters.size())]) : one_of(words);
    const auto at = below(bytes.size() + 1);
    const auto rest = bytes.size() - at;
    switch (below(6)) {
    case 0: bytes.insert(at, fragment); return;
    case 1: bytes.erase(at, 1 + below(3)); return;
    case 2: bytes.replace(at, std::min<std::size_t>(rest, 1), fragment); return;
    case 3: bytes.insert(at, bytes.substr(below(bytes.size() + 1), 1 + below(20))); return;
    case 4: return repeat_line(bytes, at);
    default:
      if (rest != 0) bytes[at] = static_cast<char>(random_());
    }
  }
  static void repeat_line(std::string& bytes, std::size_t at) {
    const auto begin = bytes.find("\r\n", at);
    if (begin == bytes.npos) return;
    const auto end = bytes.find("\r\n", begin + 2);
    if (end != bytes.npos) bytes.insert(begin, bytes.substr(begin, end - begin));
  }

  std::mt19937 random_;
};

inline std::string visible(std::string_view bytes) {
  std::string all;
  for (const char c : bytes) {
    if (c >= ' ' && c < 0x7f) {
      all += c;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      all += {'<', digits[byte >> 4], digits[byte & 15], '>'};
      if (c == '\n') all += '\n';
    }
  }
  return all;
}

} // namespace greenroom::http::internal::beside_beast
