#include <greenroom/http/trace.hpp>

#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/detail/answer_marks.hpp>
#include <greenroom/http/detail/request_data.hpp>
#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/id_source.hpp>
#include <greenroom/http/internal/single_field.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::http {
namespace {

constexpr std::size_t longest_request_id = 128;

} // namespace

// -- values -----------------------------------------------------------------------------------------------

bool is_request_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_request_id && internal::all_of(text, internal::token_char);
}

std::string_view current_request_id() {
  const auto* const who = greenroom::detail::this_turn.cell;
  if (who == nullptr) return {};
  const auto* const trace = greenroom::detail::find_trace(*who); // the actor keeps it, as its context
  if (trace != nullptr && !trace->request_id().empty()) return trace->request_id();
  const auto* const id = this_actor::context().value<request_id>();
  return id != nullptr ? std::string_view(id->text) : std::string_view();
}

std::string traceparent_of(const context& under) {
  if (const auto here = current_trace()) return here.traceparent();
  const auto* const trace = under.value<trace_context>();
  return trace != nullptr ? trace->traceparent() : std::string();
}

// -- the middleware ---------------------------------------------------------------------------------------

namespace {

/// The parts of a field that may come in several lines, in their order.
std::string joined(const request& r, std::string_view name) {
  std::string all;
  for (const auto& f : r.headers()) {
    if (!internal::same_word(f.name, name)) continue;
    if (!all.empty()) all += ',';
    all += f.value;
  }
  return all;
}

class tracer final : public detail::any_middleware {
public:
  explicit tracer(trace_options how) : how_(how) {
    if (!(how.sample >= 0 && how.sample <= 1)) {
      throw usage_error(fmt::format("http::trace_requests: the option sample must be from 0 to 1, not {}", how.sample));
    }
  }
  task<response> begin(request r, next on) const override { return traced(this, std::move(r), std::move(on)); }

private:
  static task<response> traced(const tracer* self, request r, next on) {
    const auto id = self->id_of(r);
    const auto trace = self->trace_of(r).for_request(id.text);
    const auto under = this_actor::context().with_value(trace).with_value(id);
    r.mark_answer("X-Request-Id", id.text);
    if (const auto& marks = r.data().marks) marks->follow(trace);
    auto rest = go_on(std::move(on), std::move(r));
    auto known = within(under, std::move(rest));
    std::optional<result<response>> got;
    try {
      got.emplace(co_await std::move(known));
    } catch (const cancelled&) {
      throw;
    } catch (...) {
      greenroom::detail::keep_trace(trace); // what is said of its end names it
      throw;
    }
    auto& answer = *got;
    if (!answer) throw cancelled{answer.error()};
    auto named = *std::move(answer);
    if (!named.header("X-Request-Id")) named.header("X-Request-Id", id.text);
    co_return named;
  }
  /// A coroutine, so that a handler which is none is called under the new context, too.
  static task<response> go_on(next on, request r) {
    auto answer = on(std::move(r));
    co_return co_await std::move(answer);
  }

  request_id id_of(const request& r) const {
    const auto given = internal::single_field(r.headers(), "x-request-id");
    if (how_.take_request_id && given.text && is_request_id(*given.text)) return {std::string(*given.text)};
    request_id made{std::string(32, '0')};
    random_.fill(made.text);
    return made;
  }
  trace_context trace_of(const request& r) const {
    trace_context::digits_16 span{};
    random_.fill(span);
    if (how_.take_trace) {
      const auto parent = internal::single_field(r.headers(), "traceparent");
      if (parent.text) {
        if (const auto caller = trace_context::parse(*parent.text, joined(r, "tracestate"))) return caller->child(span);
      }
    }
    trace_context::digits_32 trace{};
    random_.fill(trace);
    return {trace, span, random_.fraction() < how_.sample};
  }

  const trace_options how_;
  mutable internal::id_source random_;
};

} // namespace

middleware trace_requests(trace_options how) { return middleware(std::make_shared<const tracer>(how)); }

} // namespace greenroom::http
