// The actor behind a supervisor: its children, their restarts, and the calls it serves.
// Thread safety: owner only, the supervisor's actor. Lifetime: in that actor's frame; what it destroys it kills.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <greenroom/actors/monitor.hpp>
#include <greenroom/actors/supervisor.hpp>
#include <greenroom/runtime/select.hpp>

namespace greenroom {
namespace detail {
struct supervisor_plan {
  std::string name;
  supervisor_options how;
  std::vector<child_spec> children;
  address<dead_letter> dead_letters = {}; // none: what the children could not handle is only logged
};

/// Actors that a killed supervisor has killed, for whoever starts it anew. Thread safety: any thread.
class family {
public:
  void add(const actor& orphan) {
    std::lock_guard guard(mutex_);
    orphans_.push_back(orphan);
  }
  std::vector<actor> take() {
    std::lock_guard guard(mutex_);
    return std::exchange(orphans_, {});
  }

private:
  std::mutex mutex_;
  std::vector<actor> orphans_; // guarded by mutex_
};

/// A supervisor as a child. Its calls have one mailbox for all of its starts, so that none is lost in a restart, until it rests.
class nested_start final : public child_start {
public:
  nested_start(std::shared_ptr<const supervisor_plan> plan, std::source_location w);
  started begin() override;
  void rest() noexcept override;
  std::vector<actor> take_orphans() override;
  void give_up_ports() noexcept override;
  bool gave_up() const noexcept override { return over_; }
  const std::shared_ptr<call_place>& calls() const noexcept { return calls_; }

private:
  const std::shared_ptr<const supervisor_plan> plan_;
  const std::shared_ptr<call_place> calls_;
  const std::shared_ptr<family> family_;
  mailbox<supervisor_call> in_;
  bool over_ = false;
};

/// As check(), and what concerns the supervisor too.
result<void> check(const child_spec& child, auto_shutdown of_supervisor);
} // namespace detail

namespace internal {

/// In the context of each child: where it says that it has started. Without an address nobody asked.
struct start_signal {
  address<nothing> to;
};

} // namespace internal
template <>
inline constexpr bool owns_what_it_names<internal::start_signal> = true;
namespace internal {

/// How many calls wait for a supervisor; more callers wait themselves.
inline constexpr std::int64_t waiting_calls = 64;

/// The actor. Errors: throws if its children did not start, or had to be restarted too often.
task<> run_supervisor(std::shared_ptr<const detail::supervisor_plan> plan, mailbox<detail::supervisor_call> calls,
                      std::shared_ptr<detail::family> orphans);

class supervisor_actor {
public:
  supervisor_actor(std::shared_ptr<const detail::supervisor_plan> plan, mailbox<detail::supervisor_call> calls,
                   std::shared_ptr<detail::family> orphans);
  supervisor_actor(const supervisor_actor&) = delete;
  supervisor_actor& operator=(const supervisor_actor&) = delete;
  /// Kills the children that are left: when it is killed itself, or fails.
  ~supervisor_actor();

  task<> run();

private:
  struct child;
  using child_list = std::list<child>;
  using place = child_list::iterator;
  using pause_list = std::multimap<time_point, place>;

  struct child {
    detail::child_spec spec;
    child_state state = child_state::ended;
    actor who = {};
    std::optional<time_point> ready = std::nullopt; // since when the last start has run; none: it did not come up
    pause_list::iterator pause = {};                // while pausing
    detail::restart_pauses pauses = {};
    std::uint64_t restarts = 0;
    std::optional<exit_reason> last_exit = std::nullopt;
    std::string last_item = {}; // what it had in hand then
  };

  // -- starting and stopping ------------------------------------------------------------------------
  task<> start_all();
  task<result<void>> start(place at);
  result<void> launch(child& c, const address<nothing>& ready);
  task<> stop(place at);
  task<> stop_all();
  task<> stop_at_once();
  bool ask_to_end(child& c) const;
  task<> await_end(place at, time_point deadline);
  task<> await_orphans(place at);

  // -- restarts -------------------------------------------------------------------------------------
  task<> watch();
  /// Gives true if the supervisor is to end.
  task<bool> on_end(down notice);
  task<> restart_later(place at, std::string why);
  task<> restart_due();
  bool ends_with(place at);
  std::string settle(child& c) const;
  void settle_and_log(child& c, const char* what) const;
  void come_back(place at, time_point when);
  void leave_pause(child& c) noexcept;

  // -- calls ----------------------------------------------------------------------------------------
  task<> serve(detail::supervisor_call call);
  task<> answer(request<detail::start_child_call> r);
  task<> answer(request<detail::terminate_call> r);
  task<> answer(request<detail::restart_call> r);
  void answer(request<detail::remove_call> r);
  void answer(request<detail::list_call> r) const;
  void answer(request<detail::count_call> r) const;
  void answer(request<detail::find_call> r) const;

  // -- children -------------------------------------------------------------------------------------
  place add(const detail::child_spec& spec);
  void forget(place at) noexcept;
  result<place> named(const std::string& name) const;
  bool is(restart_strategy strategy) const noexcept { return plan_->how.strategy == strategy; }
  bool is_group() const noexcept { return is(one_for_all) || is(rest_for_one); }
  static bool runs(const child& c) noexcept { return c.state == child_state::running; }
  std::string place_of(const child& c) const;
  std::string describe(const child& c) const;
  static void note(const child& c, detail::child_phase phase);
  static void note_failure(const child& c, const std::string& why);
  const address<dead_letter>& letters_of(const detail::child_start& start) const noexcept {
    return start.dead_letters ? start.dead_letters : plan_->dead_letters;
  }

  const std::shared_ptr<const detail::supervisor_plan> plan_;
  const mailbox<detail::supervisor_call> calls_;
  const std::shared_ptr<detail::family> orphans_; // null: nobody asks for them
  const actor_system& system_;
  const context base_; // of the children: the values of the supervisor's own; it ends with the system only
  xoshiro random_;
  detail::restart_window window_;
  monitor ends_;
  child_list children_;                                           // in the order of their starts
  std::unordered_map<std::string, place> names_;                  // of all but a dynamic supervisor's
  std::unordered_map<const detail::actor_cell*, place> by_actor_; // those that run
  pause_list pauses_;
};

} // namespace internal
} // namespace greenroom
