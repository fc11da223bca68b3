// How a supervised child is started: a function and arguments whose types only child_start_of (supervisor_spec.hpp) knows.
// Thread safety: owner only, the supervisor. Lifetime: as long as the child may be started again.
#pragma once

#include <cstddef>
#include <memory>
#include <source_location>
#include <tuple>
#include <vector>

#include <greenroom/actors/dead_letter.hpp>
#include <greenroom/actors/detail/child_work.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/spawn.hpp>

namespace greenroom::detail {

class GREENROOM_EXPORT child_start {
public:
  explicit child_start(std::source_location w, std::shared_ptr<child_work> of = nullptr) noexcept
      : where(w), work(std::move(of)) {}
  child_start(const child_start&) = delete;
  child_start& operator=(const child_start&) = delete;
  virtual ~child_start();

  /// Makes the task of the next start. Errors: what copying the arguments throws; usage_error once the ports are given up.
  virtual started begin() = 0;
  /// Drops what is queued in the mailboxes among the arguments, and returns how many items.
  virtual std::size_t drop_queued() { return 0; }
  /// Closes the mailboxes and drops the addresses among the arguments: the child will not be started again. It rests, too.
  void give_up() noexcept {
    dead_letters = {};
    give_up_ports();
  }
  virtual bool gave_up() const noexcept { return false; }
  /// Returns whether a new start would end at once, since nothing can come any more: there is none then, whatever its kind of restart.
  virtual bool has_nothing_to_do() const { return false; }

  /// It does not run, and is not about to: nobody answers what is sent to it.
  virtual void rest() noexcept {}
  /// Returns those that a killed incarnation has left behind, to be waited for before the next one: actors that it had started and killed.
  virtual std::vector<actor> take_orphans() { return {}; }

  const std::source_location where;
  const std::shared_ptr<child_work> work; // null: it has no inputs that are known
  address<dead_letter> dead_letters;      // of its own; else those of its supervisor
  bool was_started = false;               // the supervisor's

protected:
  [[noreturn]] static void throw_given_up();

private:
  virtual void give_up_ports() noexcept {}
};

} // namespace greenroom::detail
