#include <greenroom/runtime/error.hpp>

namespace greenroom {

static_assert(sizeof(error) <= 24, "an error travels by value through every send and receive");
static_assert(std::is_nothrow_move_constructible_v<error> && std::is_nothrow_move_assignable_v<error>);
static_assert(!std::is_default_constructible_v<error>);
static_assert(sizeof(result<void>) == sizeof(error));

// No default label: the compiler names the code that was forgotten.
const char* sentence(errc code) noexcept {
  switch (code) {
  case errc::closed: return "mailbox closed";
  case errc::full: return "mailbox full";
  case errc::empty: return "mailbox empty";
  case errc::timed_out: return "deadline exceeded";
  case errc::cancelled: return "context cancelled";
  case errc::not_found: return "not found";
  case errc::already_exists: return "already exists";
  case errc::invalid_argument: return "invalid argument";
  case errc::io: return "input or output failed";
  case errc::failed: return "actor ended by an exception";
  case errc::no_reply: return "request dropped without a reply";
  case errc::stopped: return "actor system stopped";
  case errc::killed: return "actor killed";
  case errc::unsupported: return "not supported by this build";
  case errc::parse: return "malformed text";
  case errc::limit: return "limit reached";
  case errc::type_mismatch: return "value has another type";
  case errc::upstream: return "another server failed";
  case errc::unavailable: return "unavailable for now";
  }
  return "unknown error code";
}

const char* to_string(errc code) noexcept {
  switch (code) {
  case errc::closed: return "closed";
  case errc::full: return "full";
  case errc::empty: return "empty";
  case errc::timed_out: return "timed_out";
  case errc::cancelled: return "cancelled";
  case errc::not_found: return "not_found";
  case errc::already_exists: return "already_exists";
  case errc::invalid_argument: return "invalid_argument";
  case errc::io: return "io";
  case errc::failed: return "failed";
  case errc::no_reply: return "no_reply";
  case errc::stopped: return "stopped";
  case errc::killed: return "killed";
  case errc::unsupported: return "unsupported";
  case errc::parse: return "parse";
  case errc::limit: return "limit";
  case errc::type_mismatch: return "type_mismatch";
  case errc::upstream: return "upstream";
  case errc::unavailable: return "unavailable";
  }
  return "unknown";
}

error::error(errc code, std::string text) : code_{code} {
  if (!text.empty()) text_ = std::make_shared<const std::string>(std::move(text));
}

std::string_view error::message() const noexcept { return text_ ? std::string_view{*text_} : sentence(code_); }

bad_result::bad_result(const error& why) : std::logic_error{std::string{why.message()}}, why_{why} {}

void detail::throw_bad_result(const error& why) { throw bad_result{why}; }

} // namespace greenroom
