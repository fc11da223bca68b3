// The decoder of chunked bodies: what comes out does not depend on how the bytes are split and is never more than went in or is allowed; and
// any text that is put into chunks comes back.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/http/internal/chunk_decoder.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using outcome = chunk_decoder::outcome;

limits chosen(unsigned n) {
  limits most;
  most.head = (n & 1) != 0 ? 256 : 8'192;
  most.fields = (n & 2) != 0 ? 2 : 100;
  most.body = (n & 4) != 0 ? 16 : 65'536;
  most.chunk_line = (n & 8) != 0 ? 18 : 256;
  return most;
}

/// What comes of a body that is fed to it.
struct decoding {
  explicit decoding(const limits& l) : most(l) {}

  void feed(std::string_view bytes) {
    fed += bytes.size();
    if (now == outcome::more) {
      const auto before = bytes.size();
      now = decoder.decode(bytes, body, most, why);
      require(bytes.size() <= before, "a decoder takes no more than there is");
      require(now != outcome::more || bytes.empty(), "it takes all until the body ends");
    }
    if (now != outcome::failed) left += bytes;
    require(body.size() <= most.body, "a body is within its limit");
    require(body.size() + left.size() <= fed, "no more comes out than went in");
  }
  std::string told() const {
    if (now == outcome::failed) return fmt::format("{} {}", why.status, why.reason);
    return fmt::format("{} '{}' left '{}'", now == outcome::done ? "done" : "more", body, left);
  }

  const limits& most;
  chunk_decoder decoder;
  std::string body;
  std::string left; // behind the end
  std::size_t fed = 0;
  refusal why;
  outcome now = outcome::more;
};

/// Takes a body apart that was accepted, by its lines alone: what a program that knows only the framing would take for its content.
std::string content_of(std::string_view bytes) {
  std::string content;
  for (;;) {
    const auto size =
        std::stoull(std::string(bytes.substr(0, bytes.find_first_not_of("0123456789abcdefABCDEF"))), nullptr, 16);
    bytes.remove_prefix(bytes.find("\r\n") + 2);
    if (size == 0) break;
    require(size + 2 <= bytes.size() && bytes.substr(size, 2) == "\r\n", "the data of a chunk ends with a line end");
    content += bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
  require(bytes == "\r\n" || (bytes.ends_with("\r\n\r\n") && bytes.find("\r\n\r\n") == bytes.size() - 4),
          "the trailers end with the first empty line");
  return content;
}

/// Puts a text into chunks of the sizes, with the extensions and trailers, that are chosen.
std::string chunked(std::string_view text, const cuts& at, unsigned choice) {
  constexpr std::array<std::string_view, 8> extensions = {
      "", ";a", ";a=b", " ;\ta = \"b\"", ";a=\"\\\"; \xff\";b", ";a;b=\"\"", ";!=~", "\t; a ;b=c"};
  constexpr std::array<std::string_view, 4> trailers = {"", "A: b\r\n", "A:\r\nB: \t\xff\r\n", "Content-Length: 9\r\n"};
  std::string all;
  const bool upper = (choice & 1) != 0;
  const int digits = (choice & 2) != 0 ? 16 : 1;
  const auto extension = extensions[choice / 4 % extensions.size()];
  for (const auto piece : at.of(text)) {
    const auto end = std::back_inserter(all);
    upper ? fmt::format_to(end, "{:0{}X}", piece.size(), digits) : fmt::format_to(end, "{:0{}x}", piece.size(), digits);
    all.append(extension).append("\r\n").append(piece).append("\r\n");
  }
  return all.append("0")
      .append(extension)
      .append("\r\n")
      .append(trailers[choice / 32 % trailers.size()])
      .append("\r\n");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 400)); // enough for the smaller limits
  const auto most = chosen(from.choice());
  const auto form = from.choice();
  const cuts at(from);
  const auto text = from.text();

  decoding whole(most);
  whole.feed(text);
  decoding split(most);
  for (const auto piece : at.of(text)) split.feed(piece);
  require_same(split.told(), whole.told(), "the body does not depend on how its bytes are split");
  require(whole.now != outcome::failed || whole.why.status == 400 || whole.why.status == 413 || whole.why.status == 431,
          "the status of a refusal is known");

  if (whole.now == outcome::done)
    require_same(content_of(text.substr(0, text.size() - whole.left.size())), whole.body,
                 "others see the same content");

  const greenroom::http::limits ample;
  const auto coded = chunked(text, at, form) + "left";
  decoding back(ample);
  for (const auto piece : at.of(coded)) back.feed(piece);
  require(back.now == outcome::done, "a text in chunks is taken");
  require_same(back.body, text, "and comes back");
  require_same(back.left, "left", "and nothing behind it is touched");
  return 0;
}
