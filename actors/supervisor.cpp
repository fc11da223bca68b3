#include <greenroom/actors/supervisor.hpp>

#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/internal/supervisor_actor.hpp>

namespace greenroom {

const char* to_string(child_state state) noexcept {
  static constexpr const char* names[] = {"running", "pausing", "ended", "terminated", "declined"};
  return names[static_cast<std::size_t>(state)];
}

namespace detail {

address<supervisor_call> call_place::get() const {
  std::lock_guard guard(mutex_);
  return to_;
}
void call_place::set(address<supervisor_call> to) {
  std::lock_guard guard(mutex_);
  std::swap(to_, to); // the old one goes after the lock
}

} // namespace detail

namespace {

/// Asks without a limit: a supervisor has limits of its own.
template <class M>
task<result<typename M::reply>> call(std::shared_ptr<detail::call_place> at, M message) {
  if (at == nullptr) throw usage_error("supervisor: this handle names no supervisor: it was default-constructed");
  const auto to = at->get();
  co_return co_await ask_until(to, std::move(message), never);
}

/// Cancels a supervisor whose starter is cancelled before it has started.
struct cancel_unless_started {
  explicit cancel_unless_started(const actor& a) : who(a) {}
  cancel_unless_started(const cancel_unless_started&) = delete;
  cancel_unless_started& operator=(const cancel_unless_started&) = delete;
  ~cancel_unless_started() {
    if (!started) who.cancel();
  }
  const actor who;
  bool started = false;
};

task<result<supervisor>> start_below_root(supervisor_spec spec) { co_return co_await supervise(std::move(spec)); }

} // namespace

task<result<supervisor>> supervise(supervisor_spec spec) {
  if (spec.plan() == nullptr) throw usage_error("supervise: this spec was moved from");
  return supervisor::start_all(spec.plan());
}

task<result<supervisor>> supervisor::start_all(std::shared_ptr<const detail::supervisor_plan> plan) {
  const mailbox<detail::supervisor_call> calls(bounded(internal::waiting_calls));
  const auto place = std::make_shared<detail::call_place>();
  place->set(calls.address());
  const mailbox<nothing> ready(bounded(1, overflow::drop_newest));
  const auto signal = ready.address(); // kept: the wait below is for a signal, or the end
  spawn_options how{.made_name = plan->name};
  how.ctx = this_actor::system().context().with_value(internal::start_signal{signal});
  const std::shared_ptr<detail::family> nobody; // a supervisor at the top is not started anew
  const auto self = spawn(how, internal::run_supervisor, std::move(plan), calls, nobody);
  cancel_unless_started guard(self);
  detail::stop_before_others(self);
  auto first = co_await select(ready.receive(), self.join());
  if (first.index() == 1 && !ready.try_receive()) {
    const auto& why = first.get<1>();
    if (why.normal())
      co_return error(errc::failed, fmt::format("supervisor '{}' has ended before it was ready", self.name()));
    co_return why.why();
  }
  guard.started = true;
  co_return supervisor(self, place);
}

result<supervisor> supervise(actor_system& sys, supervisor_spec spec) {
  return sys.run(start_below_root, std::move(spec));
}

task<result<actor>> supervisor::start(call_place calls, detail::child_spec child) {
  detail::start_child_call message{std::move(child)};
  co_return co_await call(std::move(calls), std::move(message));
}

task<result<actor>> supervisor::start_child(std::string name, child_options how, supervisor_spec below,
                                            std::source_location where) const {
  if (below.plan() == nullptr) throw usage_error("supervisor::start_child: the spec for '" + name + "' was moved from");
  return start(calls_, {std::move(name), how, std::make_shared<detail::nested_start>(below.plan(), where), true});
}
task<result<void>> supervisor::terminate_child(std::string name) const {
  return call(calls_, detail::terminate_call{std::move(name), {}});
}
task<result<void>> supervisor::terminate_child(actor who) const {
  if (!who) throw usage_error("supervisor::terminate_child: this handle names no actor");
  return call(calls_, detail::terminate_call{{}, std::move(who)});
}
task<result<actor>> supervisor::restart_child(std::string name) const {
  return call(calls_, detail::restart_call{std::move(name)});
}
task<result<void>> supervisor::remove_child(std::string name) const {
  return call(calls_, detail::remove_call{std::move(name)});
}
task<result<std::vector<child_info>>> supervisor::children() const { return call(calls_, detail::list_call{}); }
task<result<child_counts>> supervisor::count_children() const { return call(calls_, detail::count_call{}); }

task<result<supervisor>> supervisor::find(std::string name) const { return find_in(calls_, std::move(name)); }

task<result<supervisor>> supervisor::find_in(call_place calls, std::string name) {
  detail::find_call message{std::move(name)};
  auto found = co_await call(std::move(calls), std::move(message));
  if (!found) co_return found.error();
  co_return supervisor(std::move(found->who), std::move(found->calls));
}

void this_child::ready() {
  if (detail::this_turn.cell == nullptr) return;
  const auto ctx = this_actor::context();
  if (const auto* signal = ctx.value<internal::start_signal>(); signal != nullptr && signal->to)
    (void)signal->to.try_send({});
}

} // namespace greenroom
