#include <greenroom/runtime/executor.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <greenroom/runtime/detail/actor_extras.hpp>
#include <greenroom/runtime/detail/reason_of.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/internal/worker.hpp>

namespace greenroom {
namespace detail {

thread_local constinit turn_state this_turn;

void make_ready(actor_cell& cell) noexcept {
  if (this_turn.worker != nullptr && this_turn.core == cell.home) {
    static_cast<internal::worker*>(this_turn.worker)->push_ready(internal::job(cell));
  } else {
    cell.home->runs_on->submit(cell);
  }
}

void requeue(actor_cell& cell) noexcept { cell.home->runs_on->requeue(cell); }

void broken_frame() noexcept {
  std::fputs("greenroom: a coroutine was compiled wrongly. g++ 12 does so where an await is tested in place, as in `if "
             "(co_await "
             "f())` or `while (co_await f())`, and the function declares no variable before: keep the result in a "
             "variable, `const "
             "bool ok = co_await f();`. The stack of this abort names the function.\n",
             stderr);
  std::abort();
}

namespace {

void free_kept(actor_cell& cell) noexcept {
  if (auto* extras = cell.extras.load(std::memory_order_acquire); extras != nullptr && extras->kept != nullptr) {
    destroy_all(std::exchange(extras->kept, nullptr));
  }
}

} // namespace
} // namespace detail

executor::~executor() = default;

bool executor::run_blocking(const std::function<void()>&) { return false; }

void executor::take_turn(detail::actor_cell& cell, std::uint32_t step_budget) noexcept {
  auto& turn = detail::this_turn;
  turn.cell = &cell;
  turn.budget = step_budget;
  turn.next = cell.resume_point;
  turn.next_leaf = cell.leaf;
  cell.waits_for.store(detail::wait_kind::none, std::memory_order_relaxed);
  // Between turns only: what a wait has taken is not lost on its way from a called task to its caller.
  if (cell.kill_pending()) {
    detail::destroy_chain(std::exchange(turn.next, nullptr), turn.next_leaf);
    detail::free_kept(cell);
    cell.home->finish(cell, {exit_kind::killed, errc::killed});
  }
  // Once a resume has returned without naming a next coroutine the actor may run elsewhere, or be gone: it is not touched then.
  while (const auto frame = std::exchange(turn.next, nullptr)) {
    frame.resume();
    if (turn.finished_root) {
      const auto root = std::exchange(turn.finished_root, nullptr);
      auto why = detail::reason_of(static_cast<detail::task_promise<void>*>(turn.next_leaf)->failure);
      root.destroy();
      detail::free_kept(cell);
      cell.home->finish(cell, std::move(why));
      break;
    }
  }
  turn.cell = nullptr;
}

} // namespace greenroom
