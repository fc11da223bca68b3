// What a supervised child works on: its inputs, and the items that its actors had in hand when they failed.
// Thread safety: any thread, as noted at the fields. Lifetime: of the child, with all of its starts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/restart.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::detail {

/// A mailbox that a child receives from, without its type.
struct child_input {
  std::shared_ptr<mailbox_base> box; // an observer: its counts are read when all is over
  const item_kind* kind;
};

template <class T>
child_input input_of(const mailbox<T>& in) {
  auto* const core = in.base();
  core->add_observer();
  return {std::shared_ptr<mailbox_base>(core, [core](mailbox_base*) { core->drop_observer(); }), &kind_of_item<T>()};
}

/// How a child is, as its supervisor sees it.
enum class child_phase : std::uint8_t { not_started, up, pausing, ended, failed };
struct child_note {
  child_phase phase = child_phase::not_started;
  actor who = {}; // the last one started
  std::string last_failure = {};
};

class GREENROOM_EXPORT child_work {
public:
  /// Errors: std::bad_alloc.
  void add_input(child_input in);
  const std::vector<child_input>& inputs() const noexcept { return inputs_; }

  /// Says what becomes of items in hand when the child fails. Errors: invalid_argument if they would have to be copied, and cannot be.
  result<void> follow(queue_fate fate, std::uint32_t deliveries);

  /// An item that was in hand, and the number of its input.
  using left = std::pair<std::size_t, left_item>;
  std::vector<left> take_left();

  /// For pictures; the supervisor's.
  void note(child_phase phase, const actor& who);
  void note_failure(std::string why);
  child_note noted() const;

  std::atomic<std::uint64_t> starts{0};
  std::atomic<std::uint64_t> running{0};

private:
  friend class child_run;

  std::vector<child_input> inputs_;   // constant once the child may start
  std::uint32_t most_deliveries_ = 0; // the same; 0: items do not come again
  mutable std::mutex mutex_;
  std::vector<left> left_; // guarded by mutex_, as is note_
  child_note note_;
};

/// One actor that runs a child, as the meters of its inputs know it: made when it starts, gone when it ends.
class GREENROOM_EXPORT child_run {
public:
  explicit child_run(std::shared_ptr<child_work> work);
  child_run(const child_run&) = delete;
  child_run& operator=(const child_run&) = delete;
  ~child_run();
  void in_order() noexcept { in_order_ = true; }

private:
  void leave(std::size_t entered) noexcept;

  const std::shared_ptr<child_work> work_;
  const actor_cell* const who_;
  bool in_order_ = false;
};

template <class F, class... Args>
task<> run_child(std::shared_ptr<child_work> work, F fn, Args... args) {
  child_run here(std::move(work));
  auto body = std::invoke(fn, std::move(args)...);
  co_await std::move(body);
  here.in_order();
}

} // namespace greenroom::detail
