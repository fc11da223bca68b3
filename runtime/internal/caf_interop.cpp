// What caf.hpp promises, except for the identity itself (caf_identity.cpp) and errors (caf_errors.cpp).
#include <chrono>
#include <string>
#include <utility>

#include <caf/attachable.hpp>
#include <fmt/format.h>

#include <greenroom/runtime/caf.hpp>
#include <greenroom/runtime/internal/caf_errors.hpp>
#include <greenroom/runtime/internal/caf_identity.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom {

namespace internal {
namespace {

void require(const caf::strong_actor_ptr& handle, const char* what) {
  if (!handle) throw usage_error(std::string(what) + ": this CAF handle names no actor");
}

/// Returns the identity of the running actor.
caf::strong_actor_ptr identity_here(const char* what) {
  detail::core_here(what);
  return caf_identity::of(*detail::this_turn.cell);
}

caf_identity& as_identity(const caf::strong_actor_ptr& pointer) { return static_cast<caf_identity&>(*pointer->get()); }

/// Returns the system `who` belongs to: set once, by the thread that spawned `who`.
/// ThreadSanitizer looks away: that thread hands the actor on by CAF's own atomics, which it does not see.
__attribute__((no_sanitize("thread"))) const caf::actor_system& system_of(const caf::strong_actor_ptr& who) {
  const auto* block = who.get();
  return *block->home_system;
}

/// Sends, as every sender of ours does.
void put(const caf::strong_actor_ptr& to, caf::strong_actor_ptr from, caf::message_id id, caf::message content) {
  to->enqueue(make_element(std::move(from), id, {}, std::move(content)), unit_here(system_of(to)));
}

/// Attached to a watched actor; CAF calls it once, at the actor's end.
class down_notice final : public caf::attachable {
public:
  // None of CAF's own kinds, which are small numbers.
  static constexpr std::size_t token_type = 0x677265656e;

  down_notice(const address<caf_down>& to, const caf::strong_actor_ptr& watched)
      : to_(to), system_(system_of(watched)), id_(watched->id()) {}
  void actor_exited(const caf::error& why, caf_unit*) override {
    (void)to_.try_send({id_, from_caf(system_, why)}); // fails only if the monitor is gone
  }
  bool matches(const token& what) override {
    return what.subtype == token_type && *static_cast<const address<caf_down>*>(what.ptr) == to_;
  }

private:
  const address<caf_down> to_;
  const caf::actor_system& system_;
  const std::uint64_t id_;
};

} // namespace
} // namespace internal

environment in_caf_system(caf::actor_system& host, environment env) {
  env.caf_host = &host;
  return env;
}

caf::actor_system& caf_system(actor_system& sys) { return internal::border_of(sys.core()).system(); }

caf_counters caf_counters_of(const actor_system& sys) {
  const auto& totals = *internal::border_of(sys.core()).totals();
  return {totals.identities, totals.pending_asks, totals.late_responses, totals.dropped_messages};
}

namespace detail {

caf::strong_actor_ptr caf_pointer(const actor& a) {
  if (!a) throw usage_error("caf_handle: this handle names no actor: it was default-constructed or moved from");
  return internal::caf_identity::of(*a.cell());
}

// -- messages from CAF ----------------------------------------------------------------------------

caf_port::~caf_port() = default;

void open_caf_port(std::shared_ptr<const caf_port> port) {
  internal::as_identity(internal::identity_here("caf_accept")).open(std::move(port));
}

caf_promise::caf_promise(caf::strong_actor_ptr self, caf::mailbox_element& asked) noexcept : id_(asked.mid) {
  if (!asked.mid.is_request()) return;
  self_ = std::move(self);
  source_ = std::move(asked.sender);
  stages_ = internal::take_stages(asked);
}

caf_promise& caf_promise::operator=(caf_promise&& other) noexcept {
  caf_promise old(std::move(*this));
  self_ = std::move(other.self_);
  source_ = std::move(other.source_);
  id_ = other.id_;
  stages_ = std::move(other.stages_);
  return *this;
}

caf_promise::~caf_promise() {
  if (pending()) fail({errc::no_reply, "the lightweight actor dropped the request without a reply"});
}

void caf_promise::deliver(caf::message answer) {
  if (!pending()) return;
  auto source = std::move(source_);
  if (stages_.empty()) {
    internal::put(source, std::move(self_), id_.response_id(), std::move(answer));
    return;
  }
  const auto next = std::move(stages_.back());
  stages_.pop_back();
  next->enqueue(internal::make_element(std::move(source), id_, std::move(stages_), std::move(answer)),
                internal::unit_here(internal::system_of(next)));
}

void caf_promise::fail(const error& why) {
  if (pending()) deliver(caf::make_message(internal::failure(why)));
}

void caf_promise::refuse(errc why) {
  if (pending()) deliver(caf::make_message(internal::refusal(why)));
}

// -- messages to CAF ------------------------------------------------------------------------------

void caf_send(const caf::strong_actor_ptr& to, caf::message content) {
  internal::require(to, "send_caf");
  internal::put(to, internal::identity_here("send_caf"), caf::make_message_id(), std::move(content));
}

void caf_link(const caf::strong_actor_ptr& to) {
  internal::require(to, "link_caf");
  const auto me = internal::identity_here("link_caf");
  internal::as_identity(me).link_to(to);
}

task<result<caf::message>> caf_ask(caf::strong_actor_ptr to, duration limit, caf::message content) {
  internal::require(to, "ask_caf");
  const auto me = internal::identity_here("ask_caf");
  if (this_turn.cell->cancel_pending()) throw_cancelled(*this_turn.cell); // before anything is sent
  internal::pending_ask ask(internal::as_identity(me));
  queued_op wait(internal::answer_action(ask), deadline_after(limit));
  internal::put(to, me, ask.id.with_normal_priority(), std::move(content));
  const auto answer = co_await wait;
  if (!answer) {
    const auto text = fmt::format("ask_caf: CAF actor {}: no answer within the limit of {} ms", to_string(to),
                                  std::chrono::duration_cast<std::chrono::milliseconds>(limit).count());
    co_return error(errc::timed_out, text);
  }
  if (!answer->match_elements<caf::error>()) co_return *answer;
  const auto& why = answer->get_as<caf::error>(0);
  co_return internal::answer_error(internal::system_of(to), to_string(to), why);
}

error wrong_answer(const caf::message& answer) {
  return {errc::type_mismatch, "ask_caf: the answer is of another type than asked for: " + to_string(answer)};
}

} // namespace detail

// -- monitors -------------------------------------------------------------------------------------

caf_monitor::caf_monitor(const caf::strong_actor_ptr& watched)
    : watched_(caf::actor_cast<caf::weak_actor_ptr>(watched)) {
  internal::require(watched, "monitor_caf");
  in_ = mailbox<caf_down>(bounded(1));
  watched->get()->attach(caf::attachable_ptr(new internal::down_notice(in_.address(), watched)));
}

caf_monitor& caf_monitor::operator=(caf_monitor other) noexcept {
  std::swap(in_, other.in_);
  std::swap(watched_, other.watched_);
  return *this;
}

caf_monitor::~caf_monitor() {
  if (!in_) return;
  if (const auto watched = caf::actor_cast<caf::strong_actor_ptr>(watched_)) {
    const auto mine = in_.address();
    watched->get()->detach(caf::attachable::token(internal::down_notice::token_type, &mine));
  }
}

} // namespace greenroom
