#include <greenroom/http/compress.hpp>

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/content_coding.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {
namespace {

using internal::coding;

/// Says whether a list, which may be in several lines, has that element; `element` is in lower case.
bool lists(const response& answer, std::string_view name, std::string_view element) noexcept {
  bool found = false;
  for (std::string_view left = answer.header_lines(); !left.empty();) {
    const auto line = left.substr(0, left.find("\r\n"));
    left.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    if (!internal::same_name(line.substr(0, colon), name)) continue;
    internal::for_each_element(line.substr(colon + 1),
                               [&](std::string_view e) { found = found || internal::same_word(e, element); });
  }
  return found;
}

bool may_be_compressed(const response& answer, std::size_t at_least) noexcept {
  if (answer.continuation() != nullptr || answer.status() == 206 || answer.body().size() < at_least) return false;
  const auto type = answer.header("Content-Type");
  if (!type || !internal::worth_compressing(*type)) return false;
  for (const auto* spoiled : {"Content-Encoding", "Content-Digest", "Repr-Digest", "Digest", "Content-MD5"}) {
    if (answer.header(spoiled)) return false;
  }
  return !lists(answer, "Cache-Control", "no-transform");
}

void add_vary(response& answer) {
  if (!lists(answer, "Vary", "*") && !lists(answer, "Vary", "accept-encoding"))
    answer.header("Vary", "Accept-Encoding");
}

std::string encoded(coding by, int level, const std::string* body) {
  internal::content_encoder encoder(by, level);
  std::string out;
  encoder.encode(*body, out);
  encoder.finish(out);
  return out;
}

void replace_body(response& answer, coding by, std::string bytes) {
  answer.body(std::move(bytes)).header("Content-Encoding", internal::to_string(by)).remove_header("Accept-Ranges");
  const auto tag = answer.header("ETag");
  if (tag && !tag->starts_with("W/")) answer.set_header("ETag", "W/" + std::string(*tag));
}

task<response> compress(compress_options how, request r, next on) {
  const auto by = internal::choose_coding(r.headers()).value_or(coding::identity);
  auto asked = on(std::move(r));
  auto answer = co_await std::move(asked);
  if (answer.status() == 304) add_vary(answer);
  if (!internal::available(coding::gzip) || !may_be_compressed(answer, how.at_least)) co_return answer;
  add_vary(answer);
  if (by == coding::identity) co_return answer;
  std::string bytes;
  if (answer.body().size() <= how.inline_up_to) {
    bytes = encoded(by, how.level, &answer.body());
  } else {
    bytes = co_await blocking(encoded, by, how.level, &answer.body());
  }
  if (bytes.size() < answer.body().size()) replace_body(answer, by, std::move(bytes));
  co_return answer;
}

} // namespace

compress_answers::compress_answers(compress_options how) : how_(how) {
  if (how.level < 1 || how.level > 9)
    throw usage_error(fmt::format("http::compress_answers: level must be from 1 to 9, not {}", how.level));
}

task<response> compress_answers::operator()(request r, next on) const {
  return compress(how_, std::move(r), std::move(on));
}

} // namespace greenroom::http
