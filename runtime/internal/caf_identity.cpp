#include <greenroom/runtime/internal/caf_identity.hpp>

#include <cassert>
#include <mutex>
#include <typeinfo>
#include <utility>

#include <caf/actor_config.hpp>
#include <caf/make_actor.hpp>
#include <fmt/format.h>

#include <greenroom/runtime/internal/caf_errors.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom::internal {

caf_identity::caf_identity(caf::actor_config& config, detail::actor_cell& cell, std::shared_ptr<caf_totals> totals)
    : caf_actor_base(config), cell_(cell), totals_(std::move(totals)) {
  detail::add_ref(cell_);
  totals_->identities.fetch_add(1, std::memory_order_relaxed);
}

caf_identity::~caf_identity() {
  totals_->identities.fetch_sub(1, std::memory_order_relaxed);
  detail::release(cell_);
}

std::shared_ptr<caf_identity> caf_identity::make(detail::actor_cell& cell) {
  auto& border = border_of(*cell.home);
  auto& system = border.system();
  caf::actor_config config;
  auto pointer = caf::make_actor<caf_identity, caf::strong_actor_ptr>(cell.id, system.node(), &system, config, cell,
                                                                      border.totals());
  auto* const identity = static_cast<caf_identity*>(pointer->get());
  border.totals()->held.fetch_add(1);
  return {identity, [held = std::move(pointer), totals = border.totals()](caf_identity*) mutable {
            held.reset();
            totals->held.fetch_sub(1);
            totals->held.notify_all();
          }};
}

caf::strong_actor_ptr caf_identity::of(detail::actor_cell& cell) {
  auto& extras = detail::extras_of(cell);
  {
    std::lock_guard guard(extras.lock);
    if (extras.caf_side) return static_cast<caf_identity&>(*extras.caf_side).pointer();
  }
  const auto fresh = make(cell);
  {
    std::lock_guard guard(extras.lock);
    // Under the lock: finish() sets the bit, then takes the lock to look for caf_side.
    if (!detail::is_finished(cell)) {
      if (!extras.caf_side) extras.caf_side = fresh;
      return static_cast<caf_identity&>(*extras.caf_side).pointer();
    }
  }
  fresh->cleanup(to_caf(extras.reason), nullptr);
  return fresh->pointer();
}

void caf_identity::on_exit(detail::actor_cell& cell, const exit_reason& why) noexcept {
  std::vector<std::shared_ptr<const detail::caf_port>> ports;
  {
    std::lock_guard guard(lock_);
    ports.swap(ports_);
  }
  cleanup(to_caf(why), unit_here(home_system()));
  std::shared_ptr<exit_listener> self; // released last: it may be all that keeps this object
  auto& extras = detail::extras_of(cell);
  std::lock_guard guard(extras.lock);
  self.swap(extras.caf_side);
}

enqueue_result caf_identity::enqueue(caf::mailbox_element_ptr what, caf_unit*) {
  const bool alive = !detail::is_finished(cell_);
  accept(*what, alive);
  return static_cast<enqueue_result>(alive);
}

void caf_identity::accept(caf::mailbox_element& what, bool alive) {
  auto content = take_content(what);
  if (what.mid.is_response()) return take_response(what.mid, std::move(content));
  if (content.match_elements<caf::exit_msg>()) return obey(content.get_as<caf::exit_msg>(0));
  const bool request = what.mid.is_request();
  detail::caf_promise answer(pointer(), what);
  std::optional<errc> refused = errc::closed;
  if (alive) {
    const auto port = port_for(content, request);
    refused = port ? port->deliver(content, answer) : errc::not_found;
  }
  if (!refused) return;
  answer.refuse(*refused);
  if (!request) totals_->dropped_messages.fetch_add(1, std::memory_order_relaxed);
}

void caf_identity::obey(const caf::exit_msg& order) {
  if (order.reason == caf::none) return; // a linked peer has ended normally
  detail::add_ref(cell_);
  const actor me(&cell_, actor::adopt{});
  if (order.reason == caf::exit_reason::kill) return me.kill();
  // CAF's anonymous exit messages name the receiver as their source.
  const auto from =
      order.source == address() ? std::string("an anonymous sender") : "CAF actor " + to_string(order.source);
  me.cancel(error(errc::cancelled, fmt::format("cancelled by an exit message of {}: {}", from,
                                               sentence_of(home_system(), order.reason))));
}

void caf_identity::take_response(caf::message_id id, caf::message&& content) {
  detail::actor_cell* wake = nullptr;
  {
    std::lock_guard guard(lock_);
    if (ask_ == nullptr || ask_->id != id.request_id()) {
      totals_->late_responses.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    ask_->answer = std::move(content);
    if (auto* const waiter = ask_->waiters.claim_front()) wake = waiter->cell;
    ask_ = nullptr; // whatever comes after the first answer is late
  }
  if (wake != nullptr) detail::make_ready(*wake);
}

void caf_identity::open(std::shared_ptr<const detail::caf_port> port) {
  std::lock_guard guard(lock_);
  for (auto& there : ports_) {
    const auto& one = *there;
    const auto& other = *port;
    if (typeid(one) == typeid(other)) return there.swap(port); // the former goes after the lock is released
  }
  ports_.push_back(std::move(port));
}

std::shared_ptr<const detail::caf_port> caf_identity::port_for(const caf::message& content, bool request) {
  std::shared_ptr<const detail::caf_port> found;
  std::lock_guard guard(lock_);
  for (const auto& port : ports_) {
    if (!port->takes(content)) continue;
    if (port->replies() == request) return port;
    found = port; // a request to a plain mailbox, or a message to one of requests
  }
  return found;
}

pending_ask::pending_ask(caf_identity& asker) : owner(asker) {
  owner.totals()->pending_asks.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard guard(lock());
  assert(owner.ask_ == nullptr);
  id = caf::make_message_id(++owner.last_request_).request_id();
  owner.ask_ = this;
}

pending_ask::~pending_ask() {
  // An answer that a cancellation has overtaken.
  if (close()) owner.totals()->late_responses.fetch_add(1, std::memory_order_relaxed);
  owner.totals()->pending_asks.fetch_sub(1, std::memory_order_relaxed);
}

std::optional<caf::message> pending_ask::close() noexcept {
  std::lock_guard guard(lock());
  if (owner.ask_ == this) owner.ask_ = nullptr;
  return std::exchange(answer, std::nullopt);
}

} // namespace greenroom::internal
