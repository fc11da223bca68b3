#include <greenroom/runtime/internal/caf_errors.hpp>

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <fmt/format.h>

#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/internal/caf_version.hpp>

namespace greenroom {
namespace internal {
namespace {

// From 0.18 on CAF's own actors say sec::broken_promise; this one is known to all versions.
constexpr caf::sec no_reply = caf::sec::request_receiver_down;

} // namespace

std::string sentence_of(const caf::actor_system& where, const caf::error& why) {
  if (why == caf::sec::runtime_error && why.context().match_elements<std::string>())
    return why.context().get_as<std::string>(0);
  return text_of(where, why);
}

error answer_error(const caf::actor_system& where, const std::string& whom, const caf::error& why) {
  if (why == caf::none)
    return {errc::failed, fmt::format("ask_caf: CAF actor {}: it answered with an empty error", whom)};
  const auto code = says_no_reply(why) ? errc::no_reply : errc::failed;
  return {code, fmt::format("ask_caf: CAF actor {}: {}", whom, sentence_of(where, why))};
}

caf::error refusal(errc why) {
  switch (why) {
  case errc::not_found: return caf::make_error(caf::sec::unexpected_message);
  case errc::full:
    return caf::make_error(caf::sec::runtime_error, std::string("the mailbox of the lightweight actor is full"));
  default: return caf::make_error(caf::sec::request_receiver_down);
  }
}

caf::error failure(const error& why) {
  const std::string text(why.message());
  return caf::make_error(why.is(errc::no_reply) ? no_reply : caf::sec::runtime_error, text);
}

} // namespace internal

caf::error to_caf(const exit_reason& why) {
  switch (why.kind()) {
  case exit_kind::normal: return {};
  case exit_kind::killed: return caf::make_error(caf::exit_reason::kill);
  case exit_kind::cancelled: return caf::make_error(caf::exit_reason::user_shutdown);
  case exit_kind::failed: break;
  }
  return caf::make_error(caf::sec::runtime_error, std::string(why.why().message()));
}

exit_reason from_caf(const caf::actor_system& where, const caf::error& why) {
  if (why == caf::none) return {};
  if (why == caf::exit_reason::kill) return {exit_kind::killed, errc::killed};
  if (why == caf::exit_reason::user_shutdown) return {exit_kind::cancelled, errc::cancelled};
  return {exit_kind::failed, error(errc::failed, internal::sentence_of(where, why))};
}

} // namespace greenroom
