#include <greenroom/http/internal/server_core.hpp>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <new>
#include <thread>

#include <fmt/format.h>

#include <greenroom/http/internal/connection.hpp>
#include <greenroom/http/internal/response_writer.hpp>
#include <greenroom/http/internal/serve_connection.hpp>
#include <greenroom/http/internal/share.hpp>
#include <greenroom/http/internal/write_openapi.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::http::internal {
namespace {

using namespace std::chrono_literals;

// When descriptors have run out: they come back with connections that end, which takes a while.
constexpr auto accept_pause = 50ms;
// For those that a stop had to cancel: time to unwind, and then, killed, to go.
constexpr auto unwind_time = 1s;

} // namespace

server_core::server_core(actor_system& s, server_options o)
    : system(s), options(std::move(o)), stopping_(s.context().with_cancel()), deserted_(s.context().with_cancel()) {
  if (const auto ok = options.limits.check(); !ok) throw usage_error(std::string(ok.error().message()));
  if (options.stop_time < 0ms || options.stop_notice < 0ms) {
    throw usage_error(
        fmt::format("http::server: stop_time and stop_notice must not be negative, but are {} ms and {} ms",
                    options.stop_time.count(), options.stop_notice.count()));
  }
  for (auto& l : lanes_) l = std::make_unique<lane>(system.context().with_cancel(), this->options.limits.queue_age);
}

void server_core::check_not_started(method m, std::string_view pattern) const {
  if (!entrance) return;
  throw usage_error(fmt::format("http::server: the route {} {} came after start(); routes are constant while the "
                                "server runs: add them before",
                                to_string(m), pattern));
}

std::unique_ptr<route> server_core::make_route(detail::route_entry entry) const {
  auto& h = entry.call;
  const auto name = fmt::format("{} {}", to_string(entry.method), entry.pattern);
  auto how = h.how ? *std::move(h.how) : detail::make_supervision(options.limits.handler_time, std::nullopt);
  const bool reads = h.call->is == detail::any_handler::kind::reads_body;
  const auto most = h.most_body.value_or(reads ? options.limits.streamed_body : options.limits.body);
  return std::make_unique<route>(route{entry.method,
                                       std::move(entry.pattern),
                                       greenroom::detail::intern_name(system.core(), name),
                                       {std::move(entry.around), std::move(h.call)},
                                       std::move(how),
                                       most,
                                       std::move(h.says),
                                       std::move(h.about)});
}

void server_core::add(detail::route_entry entry) {
  check_not_started(entry.method, entry.pattern);
  entry.around = around_;
  auto made = make_route(std::move(entry));
  table.add(made->method, made->pattern, made.get(), made->call.last->bare);
  routes_.push_back(std::move(made));
}

void server_core::mount(std::string_view prefix, routes group) {
  auto entries = detail::mounted(prefix, std::move(group).entries(), around_);
  std::vector<std::unique_ptr<route>> added;
  for (auto& each : entries) {
    check_not_started(each.method, each.pattern);
    added.push_back(make_route(std::move(each)));
  }
  router with; // in place of the table when all is well
  for (const auto* const all : {&routes_, &added}) {
    for (const auto& each : *all) with.add(each->method, each->pattern, each.get(), each->call.last->bare);
  }
  routes_.insert(routes_.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  table = std::move(with);
}

std::string server_core::openapi(const openapi_info& info) const { return write_openapi(info, routes_); }

void server_core::use(middleware m) {
  if (entrance)
    throw usage_error("http::server: a middleware came after start(); they are constant while the server runs");
  around_.push_back(std::move(m.call));
}

response server_core::without_route(const router::match& found, method m, std::string_view path) {
  if (m == method::options && (found.path_exists || path == "*")) {
    response r(204);
    if (found.path_exists) r.header("Allow", found.allow);
    return r;
  }
  if (!found.path_exists) return text("there is nothing at this path\n", 404);
  auto r = text(fmt::format("{} is not allowed here; {} are\n", to_string(m), found.allow), 405);
  r.header("Allow", found.allow);
  return r;
}

response server_core::answer_without_route(request r, const server_core* self) {
  router::parameter_list none;
  return without_route(self->table.find(r.method(), r.path(), none), r.method(), r.path());
}

/// What is around the routes shall also be around what has none.
void server_core::make_fallback() {
  if (around_.empty()) return;
  const handler h(answer_without_route, this);
  fallback_ = std::make_unique<route>(route{method::get,
                                            "",
                                            "without route",
                                            {around_, h.call},
                                            detail::make_supervision(options.limits.handler_time, std::nullopt),
                                            options.limits.body});
}

result<void> server_core::start() {
  if (entrance) throw usage_error("http::server: start() was called twice; make a new server to listen again");
  if (draining()) return error(errc::stopped, "cannot start the HTTP server: it was stopped; make a new one");
  auto made = system.net().listen({options.host, options.port}, {.backlog = options.backlog});
  if (!made) return made.error();
  if (system.stopping()) return error(errc::stopped, "cannot start the HTTP server: its actor system is stopping");
  make_fallback();
  entrance = *std::move(made);
  system.spawn({.name = "http accept", .ctx = lanes_[0]->ctx.ctx}, accept_all, presence(*this));
  return {};
}

/// Once a second at most: running out of descriptors lasts.
void server_core::warn_of(const error& why) {
  const auto now = system.now();
  if (why.is(errc::closed) || why.is(errc::empty) || now < saturating_add(last_warning_, 1s)) return;
  last_warning_ = now;
  system.log().warn("{}", why.message());
}

void server_core::take_in(std::unique_ptr<stream> client) {
  const auto closed = counted(event::closed); // first, so that the difference is not negative
  if (counted(event::accepted) - closed >= options.limits.connections) {
    return turn_away(*client, fmt::format("this server has {} connections already, its limit; try again later\n",
                                          options.limits.connections));
  }
  auto peer = client->peer();
  const std::string address(greenroom::detail::address_counts::without_port(peer));
  if (!addresses.enter(address, options.limits.connections_per_address)) {
    return turn_away(*client, fmt::format("this address has {} connections already, its limit; try again later\n",
                                          options.limits.connections_per_address));
  }
  auto& in = *lanes_[next_lane_++ % lane_count];
  open_connection here(*this, std::move(peer));
  auto body = options.tls ? serve_secure_connection(std::move(here), &in, std::move(client))
                          : serve_connection(std::move(here), &in, std::move(client));
  // In order: behind requests that are spawned all the time, as under overload, it might wait for seconds.
  greenroom::detail::launch({.core = system.core(),
                             .made = {body.release()},
                             .options = nullptr,
                             .site = std::source_location::current(),
                             .ctx = &in.ctx.ctx.node(),
                             .name = "http connection",
                             .first = greenroom::detail::launch_request::turn::in_order,
                             .follows_trace = false});
}

/// Takes in the next connection. Gives empty if there is none, and what else it has warned of.
result<void> server_core::accept_next() {
  try {
    auto next = entrance->try_accept();
    if (!next) {
      warn_of(next.error());
      return next.error();
    }
    take_in(*std::move(next));
  } catch (const std::bad_alloc&) {} // the connection is closed; the next one may find room again
  return {};
}

task<> server_core::accept_all(presence here) {
  auto& self = here.server();
  struct close_in_any_case {
    listener* entrance;
    ~close_in_any_case() { entrance->close(); }
  };
  const close_in_any_case then{self.entrance.get()};
  while (!self.draining()) {
    const auto taken = self.accept_next();
    if (taken) {
      co_await greenroom::detail::io_step();
    } else if (taken.error().is(errc::empty)) {
      co_await select(self.entrance->acceptable(), self.stopping().done());
    } else {
      co_await select(self.stopping().done(), after(accept_pause));
    }
  }
  // Who is in the queue has a connection, as far as it knows, and may have asked.
  for (int left = self.options.backlog; left > 0 && self.accept_next(); --left) {}
}

void server_core::turn_away(stream& client, std::string why) {
  count(event::turned_away);
  greenroom::detail::pooled_string refusal;
  auto r = text(std::move(why), 503);
  write_response(refusal, r.header("Retry-After", "1"), {.close = true}, system.time().wall_second());
  // Fits the empty buffer of a new connection; who does not get it sees the close.
  (void)client.try_write(std::as_bytes(std::span(refusal)));
}

void server_core::count(event what) noexcept {
  // Release: who sees that something has ended sees that it began. Relaxed: nobody else writes what a thread has for itself.
  const auto mine = std::min(share_here(), share_count - 1);
  auto& n = shares_[mine].counts[static_cast<std::size_t>(what)];
  if (mine == share_count - 1) {
    n.fetch_add(1, std::memory_order_release);
  } else {
    n.store(n.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
}

std::uint64_t server_core::counted(event what) const noexcept {
  std::uint64_t n = 0;
  for (const auto& each : shares_) n += each.counts[static_cast<std::size_t>(what)].load(std::memory_order_acquire);
  return n;
}

server_stats server_core::stats() const noexcept {
  server_stats s;
  // Ends before beginnings, so that no difference is negative.
  const auto ended = counted(event::ended);
  const auto closed = counted(event::closed);
  s.requests = counted(event::started);
  s.in_flight = s.requests - ended;
  s.connections_accepted = counted(event::accepted);
  s.connections_open = s.connections_accepted - closed;
  s.connections_turned_away = counted(event::turned_away);
  s.timed_out = counted(event::timed_out);
  s.abandoned = counted(event::abandoned);
  s.failed = counted(event::failed);
  s.shed = counted(event::shed);
  s.handshakes_failed = counted(event::handshake_failed);
  s.refused = counted(event::refused);
  s.answered_2xx = counted(event::answered_2xx);
  s.answered_3xx = counted(event::answered_3xx);
  s.answered_4xx = counted(event::answered_4xx);
  s.answered_5xx = counted(event::answered_5xx);
  return s;
}

// -- the end --------------------------------------------------------------------------------------------

presence::presence(server_core& server) noexcept : server_(&server) { ++server.present_; }

presence::~presence() {
  if (server_ != nullptr) server_->leave();
}

open_connection::open_connection(server_core& server, std::string peer) noexcept
    : here_(server), peer_(std::move(peer)) {
  server.count(event::accepted);
}

open_connection::~open_connection() {
  if (!here_) return;
  here_.server().addresses.leave(greenroom::detail::address_counts::without_port(peer_));
  here_.server().count(event::closed);
}

void server_core::leave() noexcept {
  const auto last_to_know = deserted_; // a copy: once present_ has been counted down, the server may be gone
  const auto left = --present_;
  if (left == frees_itself) delete this;
  if (left == 0) last_to_know.cancel();
}

void server_core::let_go(std::unique_ptr<server_core> core) noexcept {
  auto& self = *core.release();
  self.present_ += frees_itself + 1; // itself present until all is begun
  self.begin_stop();
  self.cancel_all();
  self.leave();
}

void server_core::begin_stop() noexcept {
  leaving_ = true;
  if (draining_.exchange(true)) return;
  stopping_.cancel();
  for (auto& l : lanes_) {
    std::lock_guard guard(l->lock);
    for (auto* c = l->first; c != nullptr; c = c->next_)
      c->io_->wake(); // one that is not in the list yet will see draining_
  }
  leave();
}

void server_core::note_cut_off(cut_off_request what) {
  constexpr std::size_t most = 100;
  std::lock_guard guard(cut_off_lock_);
  if (cut_off_.size() < most) cut_off_.push_back(std::move(what));
}

server_stop_report server_core::report() {
  server_stop_report all{.cut_off = counted(event::cut_off), .requests = {}, .left = stats().in_flight};
  std::lock_guard guard(cut_off_lock_);
  all.requests = cut_off_;
  return all;
}

void server_core::cancel_all() noexcept {
  for (auto& l : lanes_) l->ctx.cancel(error(errc::stopped, "the HTTP server is stopping"));
}

task<bool> server_core::deserted_within(std::chrono::milliseconds limit) {
  const auto end = saturating_add(system.now(), limit);
  co_await select(deserted_.ctx.done(), at(end));
  co_return deserted();
}

/// New connections are taken in for a while, but who asks hears that they should go elsewhere.
task<> server_core::give_notice() {
  struct stop_in_any_case {
    server_core* self;
    ~stop_in_any_case() { self->begin_stop(); }
  };
  const stop_in_any_case then{this};
  if (!leaving_.exchange(true) && entrance && options.stop_notice > 0ms) co_await sleep_for(options.stop_notice);
}

task<server_stop_report> server_core::stop(std::chrono::milliseconds limit) {
  co_await give_notice();
  const bool drained = co_await deserted_within(limit);
  if (drained) co_return server_stop_report();
  cancel_all();
  const bool unwound = co_await deserted_within(unwind_time);
  if (!unwound) {
    orphans.kill_all();
    co_await deserted_within(unwind_time);
  }
  co_return report();
}

server_stop_report server_core::abandon(std::chrono::milliseconds limit) {
  begin_stop();
  cancel_all();
  const auto end = saturating_add(std::chrono::steady_clock::now(), limit);
  while (!deserted() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(1ms);
    orphans.kill_all(); // they had their time when the system began to stop, or will never take it
  }
  return report();
}

} // namespace greenroom::http::internal
