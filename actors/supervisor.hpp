// supervisor: an actor that starts other actors, its children, watches them, and starts anew those that fail. The spec says which, in
// what order, how often and after what pause: see supervisor_spec.hpp.
//
//   result<supervisor> shop = supervise(sys, std::move(spec));          // main: returns when all children have started
//   result<supervisor> shop = co_await supervise(std::move(spec));      // the same in an actor
//   result<actor> client = co_await shop->start_child("client", {.restart = temporary}, serve, std::move(connection));
//
// A supervisor that has to restart more often than its intensity allows stops all children, in reverse order of their starts, and fails.
// If it is the child of another one, that one decides what then happens to it as a whole. It also stops them when it is cancelled, and
// when the actor system stops: trees of supervisors are stopped in order, the last started first, before all other actors.
// On one worker the children have their first turns in the order of their starts; on several, only those that report ready come one after the other.
// A child inherits the values of the context under which the supervisor runs, the system's unless it is a child itself; no deadline.
// Thread safety: a handle may be copied to any thread; waiting calls belong to actors. Lifetime: a supervisor lives until it fails, is
// cancelled, or its significant children have ended; not as long as its handles.
// Order: calls are served one after the other, and between restarts; a call waits while a child is being started or stopped.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/actors/request.hpp>
#include <greenroom/actors/supervisor_spec.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom {

/// How a child stands.
enum class child_state : std::uint8_t {
  running,
  pausing,    ///< it will be started when the pause of its backoff is over
  ended,      ///< for good: it is not restarted after such an end
  terminated, ///< by terminate_child()
  declined    ///< it returned before it was ready
};
GREENROOM_EXPORT const char* to_string(child_state state) noexcept;

/// One child as supervisor::children() shows it.
struct child_info {
  std::string name;                                    ///< as it was declared
  child_state state{};                                 ///< how it stands
  actor who;                                           ///< the last one started; none if none was
  restart_kind restart{};                              ///< its kind
  bool is_supervisor = false;                          ///< it has children of its own
  std::uint64_t restarts = 0;                          ///< how often it was started anew
  std::optional<exit_reason> last_exit = std::nullopt; ///< how it ended last; none: it has not
  std::string last_item = {};   ///< what it had in hand when it failed last, and what became of that; "" if nothing
  std::string declared_at = {}; ///< "file:line"
};

/// Counts of a supervisor's children. Thread safety: as a value.
struct child_counts {
  std::size_t children = 0;    ///< all that the supervisor knows
  std::size_t running = 0;     ///< that have been started and have not ended
  std::size_t pausing = 0;     ///< about to be started anew
  std::size_t supervisors = 0; ///< of all, those that are supervisors
};

class supervisor;

namespace detail {

struct start_child_call {
  using reply = actor;
  child_spec child;
};
struct terminate_call {
  using reply = void;
  std::string name; // of the child, or
  actor who;        // the child itself
};
struct restart_call {
  using reply = actor;
  std::string name;
};
struct remove_call {
  using reply = void;
  std::string name;
};
struct list_call {
  using reply = std::vector<child_info>;
};
struct count_call {
  using reply = child_counts;
};
struct nested_supervisor;
struct find_call {
  using reply = nested_supervisor;
  std::string name;
};
class call_place;
using supervisor_call = std::variant<request<start_child_call>, request<terminate_call>, request<restart_call>,
                                     request<remove_call>, request<list_call>, request<count_call>, request<find_call>>;
/// Where a supervisor takes its calls: another mailbox after it was terminated and started again. Thread safety: any thread.
class GREENROOM_EXPORT call_place {
public:
  address<supervisor_call> get() const;
  void set(address<supervisor_call> to);

private:
  mutable std::mutex mutex_;
  address<supervisor_call> to_; // guarded by mutex_
};
struct nested_supervisor {
  std::shared_ptr<call_place> calls;
  actor who;
};

} // namespace detail

/// A handle to a supervisor. Default-constructed: none. All calls that follow wait for the supervisor's answer.
/// Errors of all of them: errc::closed or errc::no_reply if the supervisor has ended. Cancellation: throws `cancelled`.
class GREENROOM_EXPORT supervisor {
public:
  supervisor() noexcept = default;

  /// Returns the actor that it is, to join, cancel (which stops its children) or monitor. One below another supervisor is another actor
  /// after each restart; the handle itself stays good.
  const actor& self() const noexcept { return self_; }

  /// Starts one more child, the last in the order. Its name is kept for the life of the system: give many children one name, below a dynamic supervisor. Gives an empty handle if it declined. Errors: errc::already_exists for a name that is
  /// taken; errc::invalid_argument for its options; why it did not start, and then it is forgotten.
  template <class... Args>
  task<result<actor>> start_child(std::string name, child_options how, detail::child_target_for<Args...> fn,
                                  Args&&... args) const {
    return start(calls_, {std::move(name), how, fn.make(std::forward<Args>(args)...), false});
  }
  template <class... Args>
  task<result<actor>> start_child(std::string name, detail::child_target_for<Args...> fn, Args&&... args) const {
    return start(calls_, {std::move(name), {}, fn.make(std::forward<Args>(args)...), false});
  }
  task<result<actor>> start_child(std::string name, child_options how, supervisor_spec below,
                                  std::source_location where = std::source_location::current()) const;
  task<result<actor>> start_child(std::string name, supervisor_spec below,
                                  std::source_location where = std::source_location::current()) const {
    return start_child(std::move(name), {}, std::move(below), where);
  }

  /// Stops a child, which then stays known unless it is temporary; stopping it again is fine. Errors: errc::not_found.
  task<result<void>> terminate_child(std::string name) const;
  task<result<void>> terminate_child(actor who) const;
  /// Starts a child that does not run. Errors: errc::not_found; errc::already_exists, it runs; why it did not start.
  task<result<actor>> restart_child(std::string name) const;
  /// Forgets a child that does not run. Errors: errc::not_found; errc::already_exists, it runs.
  task<result<void>> remove_child(std::string name) const;

  /// Lists the children in the order of their starts.
  task<result<std::vector<child_info>>> children() const;
  /// Counts the children.
  task<result<child_counts>> count_children() const;
  /// Finds a supervisor among the children. Errors: errc::not_found; errc::type_mismatch for one that is none; errc::closed for one that does not
  /// run and is not about to.
  task<result<supervisor>> find(std::string name) const;

  /// For graphs.
  static task<result<supervisor>> start_all(std::shared_ptr<const detail::supervisor_plan> plan);

private:
  using call_place = std::shared_ptr<detail::call_place>;
  supervisor(actor self, call_place calls) noexcept : self_(std::move(self)), calls_(std::move(calls)) {}
  static task<result<actor>> start(call_place calls, detail::child_spec child);
  static task<result<supervisor>> find_in(call_place calls, std::string name);

  actor self_;
  call_place calls_;
};

/// Starts a supervisor and its children, in order, as an actor of its own, and waits until all have started.
/// Cancellation: throws `cancelled`; the supervisor is then stopped. Errors: errc::failed, naming the child that did not start and why;
/// those started before it have been stopped.
GREENROOM_EXPORT task<result<supervisor>> supervise(supervisor_spec spec);
/// The same for threads. Waits: blocks the thread. Errors: also usage_error on a worker thread.
GREENROOM_EXPORT result<supervisor> supervise(actor_system& sys, supervisor_spec spec);

/// What a child of a supervisor can say about itself.
namespace this_child {
/// The running child, or an actor that it waits for, has started: see child_options::reports_ready; without effect elsewhere.
GREENROOM_EXPORT void ready();
} // namespace this_child

} // namespace greenroom
