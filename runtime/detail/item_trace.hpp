// How traces travel with items: what the sender's carries, and what its receiver works for from then on. Who is in no trace pays a look at
// one byte of its own record.
// Thread safety: as noted; an actor's trace is its owner's: of the worker that runs it, or of the claimer of its wait.
#pragma once

#include <cstdint>
#include <memory>
#include <typeinfo>
#include <utility>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/log.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom {
class exit_reason;
}

namespace greenroom::detail {

/// What an actor has in hand that belongs to a trace.
struct traced_work {
  trace_context trace;
  const void* from = nullptr;           // the mailbox; null if it was inherited
  const std::type_info* type = nullptr; // of the item
  time_point began = never;             // never: no span is made of it
};

/// Returns the trace that an actor works for; null if there is none. Lifetime: until the actor goes on.
GREENROOM_EXPORT const trace_context* find_trace(const actor_cell& who) noexcept;
/// Gives what an item of this actor carries. Called under a mailbox's lock.
GREENROOM_EXPORT void carry_trace_of(const actor_cell& from, trace_context& to) noexcept;
/// The running actor has taken an item; ends the span of the one before. Not under a lock, as the following.
GREENROOM_EXPORT void take_trace(actor_cell& who, trace_context with, const void* from,
                                 const std::type_info& type) noexcept;
/// It asks this mailbox for the next item.
GREENROOM_EXPORT void let_go_of_trace(actor_cell& who, const void* from) noexcept;
/// It has ended.
GREENROOM_EXPORT void end_trace(actor_cell& who, const exit_reason& why) noexcept;
/// An actor that is not known yet is started by another one.
GREENROOM_EXPORT void inherit_trace(actor_cell& made, const actor_cell& by) noexcept;
/// The running actor works for this trace until it ends, or takes an item: for one that an exception is about to end, and what is said of it then.
GREENROOM_EXPORT void keep_trace(const trace_context& trace) noexcept;
/// Has the running actor work for another trace for as long as this object lives. Requires: no wait meanwhile. Thread safety: owner only.
class GREENROOM_EXPORT works_for {
public:
  explicit works_for(const trace_context& trace);
  works_for(const works_for&) = delete;
  works_for& operator=(const works_for&) = delete;
  ~works_for();

private:
  std::unique_ptr<traced_work> before_;
  std::uint8_t bits_;
};

/// Returns what log lines say of an actor.
GREENROOM_EXPORT log_origin log_origin_of(const actor_cell* who) noexcept;

inline bool is_traced(const actor_cell* who) noexcept { return who != nullptr && who->traces != 0; }
inline bool has_traced_item(const actor_cell* who) noexcept {
  return who != nullptr && (who->traces & actor_cell::by_item) != 0;
}

inline void carry_trace(trace_context& to, const actor_cell* from) noexcept {
  if (is_traced(from)) [[unlikely]]
    carry_trace_of(*from, to);
}
inline void note_trace(actor_cell& who, trace_context& with, const void* from, const std::type_info& type) noexcept {
  if (static_cast<int>(static_cast<bool>(with)) | (who.traces & actor_cell::by_item)) [[unlikely]] // one branch
    take_trace(who, std::move(with), from, type);
}

} // namespace greenroom::detail
