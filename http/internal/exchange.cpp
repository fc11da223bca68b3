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
  auto body = run(this);
  const greenroom::detail::launch_request how{.core = server_.system.core(),
                                              .made = {body.release()},
                                              .options = nullptr,
                                              .site = std::source_location::current(),
                                              .ctx = &context_,
                                              .listener = this,
                                              .name = route_.actor_name};
  server_.count(event::started);
  try {
    greenroom::detail::launch(how);
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
  if (stays_) greenroom::detail::cancel(context_, std::move(cause));
  release();
}

void exchange::release() noexcept {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

exchange::~exchange() { greenroom::detail::release(context_); }

} // namespace greenroom::http::internal
