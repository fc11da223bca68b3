// A yield for an actor that has just started another one with launch_request::turn::in_order, to let that one run, and those that were
// woken before. yield() goes behind all that is ready, and under overload there is always something.
// Thread safety: the running actor only.
#pragma once

#include <coroutine>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/detail/actor_cell.hpp>

namespace greenroom::detail {

/// Has the actor go on behind those that are woken by now.
GREENROOM_EXPORT void requeue_in_order(actor_cell& cell) noexcept;

struct yield_in_order : yield_op {
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> at) const noexcept {
    auto& cell = *this_turn.cell;
    park_at(cell, at, at.promise());
    requeue_in_order(cell);
  }
};

} // namespace greenroom::detail
