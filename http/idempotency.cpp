#include <greenroom/http/idempotency.hpp>

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/answer_store.hpp>
#include <greenroom/http/internal/single_field.hpp>
#include <greenroom/http/url.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::http {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_key = 255;

/// Reads a String of structured fields, or what clients send in its place: the same without quotation marks. Source: RFC 8941 section 3.3.3.
std::optional<std::string> read_key(std::string_view text) {
  const bool in_quotes = text.starts_with('"');
  if (in_quotes) {
    if (text.size() < 2 || !text.ends_with('"')) return std::nullopt;
    text = text.substr(1, text.size() - 2);
  }
  std::string key;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c < 0x20 || c > 0x7e || c == '"') return std::nullopt;
    if (!in_quotes && (c == ' ' || c == ',' || c == ';' || c == '\\')) return std::nullopt;
    if (in_quotes && c == '\\') {
      if (++i == text.size() || (text[i] != '"' && text[i] != '\\')) return std::nullopt;
      c = text[i];
    }
    key += c;
  }
  if (key.empty() || key.size() > longest_key) return std::nullopt;
  return key;
}

bool may_be_given_again(const response& r) noexcept {
  const int status = r.status();
  return r.continuation() == nullptr && status < 500 && status != 408 && status != 425 && status != 429;
}

/// The path as routes compare it, segment by segment and decoded, so that no other spelling does a thing again: "/%6frders" is "/orders". A slash that was
/// encoded divides nothing, and stays another.
std::string one_spelling(std::string_view path) {
  std::string spelled;
  for (;;) {
    const auto slash = path.find('/');
    const auto segment = path.substr(0, slash);
    spelled += percent_encode(percent_decode(segment).value_or(std::string(segment)));
    if (slash == path.npos) return spelled;
    spelled += '/';
    path.remove_prefix(slash + 1);
  }
}

internal::fingerprint fingerprint_of(const request& r) noexcept {
  internal::fingerprint f;
  f.add(r.query());
  f.add(r.header("Content-Type").value_or(""));
  f.add(r.body());
  for (const auto& trailer : r.trailers()) {
    f.add(trailer.name);
    f.add(trailer.value);
  }
  return f;
}

void check(const idempotency_options& how) {
  if (how.age <= 0s || how.age > 24h * 30)
    throw usage_error("http::idempotency_keys: the age must be more than 0 s, and 30 days at most");
  if (how.answers == 0) throw usage_error("http::idempotency_keys: answers must be at least 1, not 0");
  if (how.bytes < 65'536)
    throw usage_error(fmt::format("http::idempotency_keys: bytes must be at least 65,536, not {}", how.bytes));
}

class keeper final : public detail::any_middleware {
public:
  keeper(std::function<std::string(const request&)> principal, idempotency_options how)
      : how_(how), principal_(std::move(principal)), store_({how.age, how.answers, how.bytes}) {
    if (!principal_) {
      throw usage_error("http::idempotency_keys: it needs a function that tells clients apart, or they would get each "
                        "other's answers");
    }
    check(how_);
  }
  task<response> begin(request r, next on) const override { return answered_once(this, std::move(r), std::move(on)); }

private:
  static task<response> answered_once(const keeper* self, request r, next on) {
    const auto field = internal::single_field(r.headers(), "idempotency-key");
    const bool concerns = r.method() == method::post || r.method() == method::patch;
    if (!concerns || (!field.present && !self->how_.required)) {
      auto rest = on(std::move(r));
      co_return co_await std::move(rest);
    }
    if (!field.present) co_return text("this needs an Idempotency-Key\n", 400);
    const auto given = field.text ? read_key(*field.text) : std::nullopt;
    if (!given) co_return text("the Idempotency-Key is malformed\n", 400);
    const auto key = self->scoped(*given, r);
    const auto found = self->store_.take(key, fingerprint_of(r), this_actor::system().now());
    if (found.is != internal::answer_store::state::taken) co_return without_handler(found);
    internal::reservation taken(self->store_, key);
    auto rest = on(std::move(r));
    auto answer = co_await std::move(rest);
    if (may_be_given_again(answer)) taken.keep(answer, this_actor::system().now());
    co_return answer;
  }

  /// No two requests that differ in what counts have the same: the lengths say where a path and a name end.
  std::string scoped(const std::string& key, const request& r) const {
    const auto who = principal_(r);
    const auto path = one_spelling(r.path());
    return fmt::format("{} {}:{}{}:{}{}", to_string(r.method()), path.size(), path, who.size(), who, key);
  }

  static response without_handler(const internal::answer_store::found& found) {
    if (found.is == internal::answer_store::state::mistaken)
      return text("this Idempotency-Key belongs to another request\n", 422);
    if (found.is == internal::answer_store::state::under_way) {
      return text("a request with this Idempotency-Key is under way; try again later\n", 409)
          .header("Retry-After", "1");
    }
    auto again = *found.answer;
    return again.header("Idempotent-Replayed", "true");
  }

  const idempotency_options how_;
  const std::function<std::string(const request&)> principal_;
  mutable internal::answer_store store_;
};

} // namespace

middleware idempotency_keys(std::function<std::string(const request&)> principal, idempotency_options how) {
  return middleware(std::make_shared<const keeper>(std::move(principal), how));
}

} // namespace greenroom::http
