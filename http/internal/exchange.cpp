#include <greenroom/http/internal/exchange.hpp>

#include <algorithm>
#include <mutex>

#include <greenroom/http/detail/request_data.hpp>
#include <greenroom/http/internal/response_writer.hpp>
#include <greenroom/http/internal/server_core.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::http::internal {

exchange::exchange(server_core& server, const route& to, request r, std::shared_ptr<detail::body_pipe> body, lane& in,
                   time_point now, time_point deadline)
    : server_(server),
      lane_(in),
      route_(to),
      made_(now),
      head_only_(r.method() == method::head),
      may_upgrade_(r.minor_version() >= 1),
      in_(std::move(body)),
      marks_(to.call.steps.empty() ? nullptr : std::make_shared<detail::answer_marks>()),
      context_(greenroom::detail::new_supervised_child(in.ctx.ctx.node(), deadline)),
      deadline_(context_.deadline),
      request_(std::move(r)) {
  request_->data().marks = marks_;
}

response exchange::marked(response answer) const {
  if (marks_) marks_->put_on(answer);
  return answer;
}

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
                                        .name = route_.actor_name,
                                        // In order: what came first is answered first, and late only if all are.
                                        .first = greenroom::detail::launch_request::turn::in_order,
                                        .follows_trace = false,
                                        .supervised = true});
  } catch (...) { // out of memory: there is no actor
    server_.count(event::ended);
    ended_.store(true, std::memory_order_relaxed);
    greenroom::detail::release(context_); // its reference
    release();
    throw;
  }
}

void exchange::log_late() const {
  const auto& log = server_.system.log();
  if (!log.enabled(log_level::info)) return;
  const auto before = greenroom::detail::last_events_in_brief(server_.system.core(), actor_.id());
  // Those events are told some times a second at most; a server whose answers are all late does not fill its log with it.
  log.write(before.empty() ? log_level::debug : log_level::info,
            "the answer is late" + (before.empty() ? before : "; before that it " + before), actor_.id(),
            actor_.name());
}

task<> exchange::run(exchange* x) {
  if (!x->begin()) co_return; // the client is told to try again
  const auto& handler = *x->route_.call.last;
  auto r = *std::exchange(x->request_, std::nullopt);
  if (handler.is == detail::any_handler::kind::answers && x->route_.call.steps.empty()) {
    x->answer_.emplace(handler.answer(std::move(r)));
  } else {
    auto asked = x->ask_handler(std::move(r));
    x->answer_.emplace(co_await std::move(asked));
  }
  if (!x->goes_on()) co_return;
  const auto& values = x->answer_->continuation()->made_under; // which a middleware may have given
  const auto from = values ? *values : this_actor::context();
  auto rest = within(from.without_cancel(), go_on(x)); // no deadline; its cancellation is ours all the same
  const auto done = co_await std::move(rest);
  (void)done; // what cancels the rest cancels the actor
}

/// Says whether the handler is to be called.
bool exchange::begin() noexcept {
  if (!claim_start()) return false;
  // A time that is behind says that the turn is prompt only if it were so for a step later, too.
  constexpr auto step = clock::coarse_step;
  auto now = server_.system.time().coarse_now();
  if (now < made_ - step || !lane_.late.is_prompt(now - made_ + step)) now = server_.system.now();
  now = std::max(now, made_);
  const auto waited = now - made_;
  lane_.late.note(waited, now);
  return !lane_.late.too_long(waited, now);
}

bool exchange::goes_on() const noexcept {
  if (answer_->continuation() == nullptr || head_only_) return false;
  return answer_->status() == 101 ? may_upgrade_ : may_have_body(answer_->status());
}

task<response> exchange::ask_handler(request r) {
  const auto& call = route_.call;
  if (call.steps.empty()) {
    if (!in_) return call.last->begin(std::move(r));
    return call.last->begin_reading(std::move(r), body_reader(in_));
  }
  auto first = in_ ? next(call, body_reader(in_)) : next(call);
  return first(std::move(r));
}

/// The part of the actor that comes after the head of its answer.
task<> exchange::go_on(exchange* x) {
  auto& rest = *x->answer_->continuation();
  if (rest.is != detail::continuation::kind::upgrade) {
    x->out_ = std::make_shared<detail::body_pipe>();
    x->give_head();
    auto writing = rest.write(body_writer(x->out_));
    co_await std::move(writing);
    x->out_->end();
    co_return;
  }
  x->give_head();
  co_await greenroom::detail::queued_op(connection_action(*x));
  upgraded_connection with(std::exchange(x->io_, nullptr), std::exchange(x->rest_, {}));
  auto speaking = rest.take_over(std::move(with));
  co_await std::move(speaking);
}

void exchange::give_head() {
  std::lock_guard guard(lock_);
  head_given_ = true;
  wake_locked();
}

void exchange::hand_over(std::shared_ptr<stream> io, std::string rest) {
  std::lock_guard guard(lock_);
  io_ = std::move(io);
  rest_ = std::move(rest);
  wake_locked();
}

void exchange::wake_locked() noexcept {
  while (auto* w = waiting_.claim_front()) greenroom::detail::make_ready(*w->cell);
}

void exchange::on_exit(greenroom::detail::actor_cell&, const exit_reason& why) noexcept {
  if (!why.normal()) why_ = why;
  server_.count(event::ended); // before the connection learns of it: who has the answer sees the count
  // What the handler has started under its context ends with it. Nobody else holds the context if we hold it alone.
  if (context_.refs.load(std::memory_order_acquire) != 1) greenroom::detail::cancel(context_, errc::cancelled);
  {
    std::lock_guard guard(lock_);
    ended_.store(true, std::memory_order_release);
    wake_locked();
  }
  release();
}

void exchange::abandon(error cause) noexcept {
  std::shared_ptr<detail::body_pipe> out;
  {
    std::unique_lock guard(lock_, std::defer_lock);
    if (!ended()) guard.lock();            // else nothing that is read here changes any more
    if (!ended()) stays_.emplace(server_); // until now the connection kept the server
    if (head_given_) out = out_;
  }
  if (stays_) {
    server_.orphans.add(*this);
    cancel(cause); // before the pipes: who waits for them is to be cancelled
  }
  if (out) out->leave();
  if (in_) in_->fail(errc::closed); // no sentence: there may be no memory for one
  release();
}

void exchange::release() noexcept {
  // The second of the two need not subtract. Acquire: pairs with the release of the first.
  if (refs_.load(std::memory_order_acquire) == 1 || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
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
