#include <greenroom/http/auth.hpp>

#include <algorithm>
#include <cstddef>

#include <greenroom/http/internal/base64.hpp>
#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/single_field.hpp>
#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::http {
namespace {

constexpr std::size_t most_of_credentials = 8'192;

std::string quoted_string(std::string_view text) {
  std::string q = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') q += '\\';
    q += c;
  }
  return q + '"';
}

/// Source: RFC 6750 section 2.1, b64token.
bool is_token(std::string_view text) noexcept {
  const auto end = text.find_last_not_of('=');
  if (end == text.npos) return false;
  const auto fits = [](char c) {
    const char lower = internal::to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/").find(c) != std::string_view::npos;
  };
  const auto part = text.substr(0, end + 1);
  return std::all_of(part.begin(), part.end(), fits);
}

/// What was made of an Authorization field.
struct reading {
  enum class kind : std::uint8_t { absent, malformed, read };
  kind is = kind::absent;
  credentials got{};
};

reading read_basic(std::string_view text) {
  auto bytes = internal::base64_decode(text);
  if (!bytes || !internal::is_utf8(*bytes) || internal::has_controls(*bytes)) return {.is = reading::kind::malformed};
  const auto colon = bytes->find(':');
  if (colon == bytes->npos) return {.is = reading::kind::malformed};
  return {.is = reading::kind::read, .got = {auth_scheme::basic, bytes->substr(0, colon), bytes->substr(colon + 1)}};
}

reading read_authorization(const request& r, auth_scheme scheme) {
  const auto field = internal::single_field(r.headers(), "authorization");
  if (!field.present) return {};
  if (!field.text || field.text->size() > most_of_credentials) return {.is = reading::kind::malformed};
  const auto space = field.text->find(' ');
  const bool basic = scheme == auth_scheme::basic;
  if (!internal::same_word(field.text->substr(0, space), basic ? "basic" : "bearer")) return {};
  if (space == field.text->npos) return {.is = reading::kind::malformed};
  auto rest = field.text->substr(space);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (basic) return read_basic(rest);
  if (!is_token(rest)) return {.is = reading::kind::malformed};
  return {.is = reading::kind::read, .got = {auth_scheme::bearer, {}, std::string(rest)}};
}

class authenticator final : public detail::any_middleware {
public:
  authenticator(auth_scheme scheme, const std::string& realm, std::unique_ptr<const detail::any_credential_check> check)
      : scheme_(scheme), check_(std::move(check)) {
    const auto shown = [](char c) { return c >= 0x20 && c < 0x7f; };
    if (realm.empty() || !std::all_of(realm.begin(), realm.end(), shown)) {
      throw usage_error("http::authenticate: the realm must be a text of visible ASCII characters and spaces, which "
                        "clients show to people");
    }
    challenge_ = (scheme == auth_scheme::basic ? "Basic realm=" : "Bearer realm=") + quoted_string(realm);
    if (scheme == auth_scheme::basic) challenge_ += ", charset=\"UTF-8\"";
  }
  task<response> begin(request r, next on) const override { return checked(this, std::move(r), std::move(on)); }

private:
  static task<response> checked(const authenticator* self, request r, next on) {
    auto read = read_authorization(r, self->scheme_);
    if (read.is == reading::kind::absent) co_return self->refusal(401, "this needs credentials\n", "");
    if (read.is == reading::kind::malformed)
      co_return self->refusal(400, "the credentials are malformed\n", "invalid_request");
    auto asked = self->check_->ask(std::move(read.got));
    auto who = co_await std::move(asked);
    if (!who) co_return self->refusal(401, "these credentials are not valid\n", "invalid_token");
    auto rest = go_on(std::move(on), std::move(r));
    auto known = within(this_actor::context().with_value(*std::move(who)), std::move(rest));
    auto answer = co_await std::move(known);
    if (!answer) throw cancelled{answer.error()};
    co_return *std::move(answer);
  }
  /// A coroutine, so that a handler which is none is called for the principal, too.
  static task<response> go_on(next on, request r) {
    auto answer = on(std::move(r));
    co_return co_await std::move(answer);
  }

  /// Source: RFC 6750 section 3.1 for the codes, which Basic has not.
  response refusal(int status, std::string_view sentence, std::string_view code) const {
    auto challenge = challenge_;
    if (scheme_ == auth_scheme::bearer && !code.empty()) challenge += ", error=" + quoted_string(code);
    return text(std::string(sentence), status).header("WWW-Authenticate", challenge);
  }

  const auth_scheme scheme_;
  const std::unique_ptr<const detail::any_credential_check> check_;
  std::string challenge_;
};

} // namespace

const principal* principal_of(const context& under) noexcept { return under.value<principal>(); }

const principal* principal_of() {
  return greenroom::detail::this_turn.cell == nullptr ? nullptr : principal_of(this_actor::context());
}

bool same_secret(std::string_view given, std::string_view secret) noexcept {
  // Volatile: the compiler may not leave the loop early.
  volatile unsigned char differences = given.size() == secret.size() ? 0 : 1;
  const std::string_view other = given.size() == secret.size() ? secret : given; // as long, whatever it is
  for (std::size_t i = 0; i < given.size(); ++i)
    differences = static_cast<unsigned char>(differences | (given[i] ^ other[i]));
  return differences == 0;
}

detail::any_credential_check::~any_credential_check() = default;

middleware detail::make_authentication(auth_scheme scheme, std::string realm,
                                       std::unique_ptr<const any_credential_check> check) {
  return middleware(std::make_shared<const authenticator>(scheme, realm, std::move(check)));
}

} // namespace greenroom::http
