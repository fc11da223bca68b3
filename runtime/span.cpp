#include <greenroom/runtime/span.hpp>

#include <any>
#include <chrono>

#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/detail/context_node.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/detail/type_name.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom {
namespace detail {
namespace {

traced_work* work_of(const actor_cell& who) noexcept {
  if ((who.traces & actor_cell::by_item) == 0) return nullptr;
  const auto* const extras = who.extras.load(std::memory_order_acquire);
  return extras == nullptr ? nullptr : extras->traced.get();
}

/// Makes a span of what is in hand, if it is to be one, and lets go of it.
void end_work(actor_cell& who, traced_work& work, const exit_reason* why) noexcept {
  const auto done = std::exchange(work, {});
  set_traced(who, actor_cell::by_item, false);
  auto* const sink = who.home->spans.load(std::memory_order_acquire);
  if (done.began == never || sink == nullptr) return;
  try {
    span what{.place = done.trace,
              .name = who.name,
              .kind = span_kind::consumer,
              .began = done.began,
              .ended = now_of(*who.home)};
    if (why != nullptr && !why->normal()) {
      what.failed = true;
      what.why = std::string(why->why().message());
    }
    const auto queued = done.began - done.trace.sent();
    what.attributes.emplace_back("greenroom.actor.id", static_cast<std::int64_t>(who.id));
    what.attributes.emplace_back("greenroom.item.type", type_name(*done.type));
    what.attributes.emplace_back("greenroom.item.queued_ns", std::int64_t{queued / std::chrono::nanoseconds(1)});
    sink->ended(std::move(what));
  } catch (...) { // no memory: a span is missing
  }
}

} // namespace

const trace_context* find_trace(const actor_cell& who) noexcept {
  if (const auto* const work = work_of(who)) return &work->trace;
  if ((who.traces & actor_cell::by_context) == 0) return nullptr;
  return std::any_cast<trace_context>(find_value(*who.context, typeid(trace_context)));
}

void carry_trace_of(const actor_cell& from, trace_context& to) noexcept {
  const auto* const trace = find_trace(from);
  if (trace == nullptr) return;
  if (trace->sampled() && from.home->spans.load(std::memory_order_relaxed) != nullptr) {
    try {
      to = trace->hop(now_of(*from.home));
      return;
    } catch (...) { // no memory: what its receiver does belongs to the sender's span
    }
  }
  to = *trace;
}

void take_trace(actor_cell& who, trace_context with, const void* from, const std::type_info& type) noexcept {
  if (auto* const before = work_of(who)) end_work(who, *before, nullptr);
  if (!with) return;
  try {
    auto& extras = extras_of(who);
    if (!extras.traced) extras.traced = std::make_unique<traced_work>();
    const bool spans = with.sent() != never && who.home->spans.load(std::memory_order_relaxed) != nullptr;
    *extras.traced = {std::move(with), from, &type, spans ? now_of(*who.home) : never};
    set_traced(who, actor_cell::by_item, true);
  } catch (...) { // no memory: the trace ends here
  }
}

void let_go_of_trace(actor_cell& who, const void* from) noexcept {
  if (auto* const work = work_of(who); work != nullptr && work->from == from) end_work(who, *work, nullptr);
}

void end_trace(actor_cell& who, const exit_reason& why) noexcept {
  if (auto* const work = work_of(who)) end_work(who, *work, &why);
}

void inherit_trace(actor_cell& made, const actor_cell& by) noexcept {
  if ((by.traces & actor_cell::by_item) == 0 && (made.traces & actor_cell::by_context) != 0) return; // it has it
  const auto* const trace = find_trace(by);
  if (trace == nullptr) return;
  try {
    auto& extras = extras_of(made);
    if (!extras.traced) extras.traced = std::make_unique<traced_work>();
    extras.traced->trace = *trace;
    set_traced(made, actor_cell::by_item, true);
  } catch (...) { // no memory: the trace ends here
  }
}

void keep_trace(const trace_context& trace) noexcept {
  try {
    auto& extras = extras_of(*this_turn.cell);
    if (!extras.traced) extras.traced = std::make_unique<traced_work>();
    *extras.traced = {.trace = trace};
    set_traced(*this_turn.cell, actor_cell::by_item, true);
  } catch (...) { // no memory: the last words have no trace
  }
}

works_for::works_for(const trace_context& trace) : bits_(this_turn.cell->traces) {
  auto work = std::make_unique<traced_work>();
  work->trace = trace;
  before_ = std::exchange(extras_of(*this_turn.cell).traced, std::move(work));
  this_turn.cell->traces = 0;
  set_traced(*this_turn.cell, actor_cell::by_item, static_cast<bool>(trace));
}

works_for::~works_for() {
  auto& who = *this_turn.cell;
  extras_of(who).traced = std::move(before_);
  who.traces = bits_ & 3;
}

log_origin log_origin_of(const actor_cell* who) noexcept {
  if (who == nullptr) return {};
  const auto* const trace = who->traces != 0 ? find_trace(*who) : nullptr;
  if (trace == nullptr) return {who->id, who->name};
  return {who->id, who->name, trace->trace_id(), trace->span_id(), trace->request_id()};
}

} // namespace detail

span_sink::~span_sink() = default;

trace_context current_trace() noexcept {
  const auto* const who = detail::this_turn.cell;
  const auto* const trace = who != nullptr ? detail::find_trace(*who) : nullptr;
  return trace != nullptr ? *trace : trace_context();
}

void send_spans_to(actor_system& system, std::shared_ptr<span_sink> sink) {
  system.core().send_spans_to(std::move(sink));
}

void end_spans_to(actor_system& system, const span_sink& sink) noexcept {
  auto* expected = const_cast<span_sink*>(&sink);
  (void)system.core().spans.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel);
}

bool takes_spans(const actor_system& system) noexcept {
  return system.core().spans.load(std::memory_order_relaxed) != nullptr;
}

void report_span(actor_system& system, span what) noexcept {
  auto* const sink = system.core().spans.load(std::memory_order_acquire);
  if (sink != nullptr && what.place.sampled()) sink->ended(std::move(what));
}

untraced::untraced() noexcept {
  auto* const who = detail::this_turn.cell;
  if (who == nullptr) return;
  before_ = who->traces;
  who->traces = 0;
}

untraced::~untraced() {
  if (auto* const who = detail::this_turn.cell) who->traces = before_ & 3;
}

} // namespace greenroom
