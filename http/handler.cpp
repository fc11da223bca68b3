#include <greenroom/http/handler.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <greenroom/runtime/error.hpp>

namespace greenroom::http::detail {
namespace {

/// Returns "2 s" or "1,500 ms" without false precision.
std::string to_text(duration span) {
  using namespace std::chrono;
  if (span % seconds(1) == duration::zero()) return fmt::format("{} s", duration_cast<seconds>(span).count());
  if (span % milliseconds(1) == duration::zero())
    return fmt::format("{} ms", duration_cast<milliseconds>(span).count());
  return fmt::format("{} ns", span.count());
}

} // namespace

any_handler::~any_handler() = default;

supervision make_supervision(duration limit, std::optional<response> late) {
  if (limit <= duration::zero()) {
    throw usage_error("supervised: the limit must be positive, not " + to_text(limit) +
                      "; a handler without a limit of its own has that of http::limits::handler_time");
  }
  if (!late) late = text("the request took longer than its limit of " + to_text(limit) + "\n", 503);
  return {limit, *std::move(late)};
}

} // namespace greenroom::http::detail
