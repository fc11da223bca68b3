#include <greenroom/http/internal/exchange.hpp>

#include <mutex>

#include <greenroom/http/internal/server_core.hpp>

namespace greenroom::http::internal {

exchange::exchange(server_core& server, const route& to, request r, greenroom::detail::context_node& parent,
                   time_point deadline)
    : server_(server),
      route_(to),
      context_(greenroom::detail::new_supervised_child(parent, deadline)),
      deadline_(context_.deadline),
      request_(std::move(r)) {}

void exchange::start() {
  server_.count(event::started);
  try {
    auto body = run(this);
    actor_ = greenroom::detail::launch({.core = server_.system.core(),
                                        .made = {body.release()},
                                        .options = nullptr,
                                        .site = std::source_location::current(),
                                        .ctx = &context_,
                                        .listener = this,
                                        .name = route_.actor_name});
  } catch (...) { // out of memory: there is no actor
    server_.count(event::ended);
    ended_ = true;
    release();
    throw;
  }
}

task<> exchange::run(exchange* x) {
  const auto& call = *x->route_.call;
  auto r = *std::exchange(x->request_, std::nullopt);
  if (call.may_wait()) {
    auto body = call.begin(std::move(r));
    x->answer_.emplace(co_await std::move(body));
  } else {
    x->answer_.emplace(call.answer(std::move(r)));
  }
}

void exchange::on_exit(greenroom::detail::actor_cell&, const exit_reason& why) noexcept {
  if (!why.normal()) why_ = why;
  server_.count(event::ended); // before the connection learns of it: who has the answer sees the count
  // What the handler has started under its context ends with it. Nobody else holds the context if we hold it alone.
  if (context_.refs.load(std::memory_order_acquire) != 1) greenroom::detail::cancel(context_, errc::cancelled);
  {
    std::lock_guard guard(lock_);
    ended_ = true;
    while (auto* w = waiting_.claim_front()) greenroom::detail::make_ready(*w->cell);
  }
  release();
}

bool exchange::ended() noexcept {
  std::lock_guard guard(lock_);
  return ended_;
}

void exchange::abandon(error cause) noexcept {
  {
    std::lock_guard guard(lock_);
    if (!ended_) stays_.emplace(server_); // until now the connection kept the server
  }
  if (stays_) {
    server_.orphans.add(*this);
    cancel(std::move(cause));
  }
  release();
}

void exchange::release() noexcept {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

exchange::~exchange() {
  if (stays_) server_.orphans.remove(*this);
  greenroom::detail::release(context_);
}

void orphan_list::add(exchange& x) noexcept {
  std::lock_guard guard(lock_);
  x.orphan_next_ = first_;
  if (first_ != nullptr) first_->orphan_prev_ = &x;
  first_ = &x;
}

void orphan_list::remove(exchange& x) noexcept {
  std::lock_guard guard(lock_);
  (x.orphan_prev_ != nullptr ? x.orphan_prev_->orphan_next_ : first_) = x.orphan_next_;
  if (x.orphan_next_ != nullptr) x.orphan_next_->orphan_prev_ = x.orphan_prev_;
}

void orphan_list::kill_all() noexcept {
  std::lock_guard guard(lock_);
  for (auto* x = first_; x != nullptr; x = x->orphan_next_) x->actor_.kill();
}

} // namespace greenroom::http::internal
