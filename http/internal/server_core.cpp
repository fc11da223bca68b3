#include <greenroom/http/internal/server_core.hpp>

#include <mutex>
#include <new>
#include <thread>

#include <fmt/format.h>

#include <greenroom/http/internal/connection.hpp>
#include <greenroom/http/internal/response_writer.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::http::internal {
namespace {

using namespace std::chrono_literals;

// When descriptors have run out: they come back with connections that end, which takes a while.
constexpr auto accept_pause = 50ms;
// For those that a stop had to cancel: time to unwind, and then, killed, to go.
constexpr auto unwind_time = 1s;

std::size_t share_here() noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

} // namespace

server_core::server_core(actor_system& s, server_options o)
    : system(s), options(std::move(o)), deserted_(s.context().with_cancel()) {
  if (const auto ok = options.limits.check(); !ok) throw usage_error(std::string(ok.error().message()));
  if (options.stop_time < 0ms) {
    throw usage_error(
        fmt::format("http::server: stop_time must not be negative, but is {} ms", options.stop_time.count()));
  }
  for (auto& l : lanes_) l = std::make_unique<lane>(system.context().with_cancel());
}

void server_core::add(method m, std::string_view pattern, handler h) {
  if (entrance) {
    throw usage_error(fmt::format("http::server: the route {} {} came after start(); routes are constant while the "
                                  "server runs: add them before",
                                  to_string(m), pattern));
  }
  const auto name = fmt::format("{} {}", to_string(m), pattern);
  auto how = h.how ? *std::move(h.how) : detail::make_supervision(options.limits.handler_time, std::nullopt);
  auto made = std::make_unique<route>(route{
      m, std::string(pattern), greenroom::detail::intern_name(system.core(), name), std::move(h.call), std::move(how)});
  router.add(m, made->pattern, made.get());
  routes_.push_back(std::move(made));
}

result<void> server_core::start() {
  if (entrance) throw usage_error("http::server: start() was called twice; make a new server to listen again");
  auto made = system.net().listen({options.host, options.port}, {.backlog = options.backlog});
  if (!made) return made.error();
  if (system.stopping()) return error(errc::stopped, "cannot start the HTTP server: its actor system is stopping");
  entrance = *std::move(made);
  system.spawn({.name = "http accept", .ctx = lanes_[0]->ctx.ctx}, accept_all, presence(*this));
  return {};
}

task<> server_core::accept_all(presence here) {
  auto& self = here.server();
  for (std::size_t n = 0; !self.draining(); ++n) {
    auto next = co_await self.entrance->accept();
    if (!next) {
      if (next.error().is(errc::closed)) co_return;
      self.system.log().warn("{}", next.error().message());
      co_await sleep_for(accept_pause);
      continue;
    }
    try {
      if (self.stats().connections_open >= self.options.limits.connections) {
        self.turn_away(**next);
      } else {
        auto& in = *self.lanes_[n % lane_count];
        spawn({.name = "http connection", .ctx = in.ctx.ctx}, serve_connection, open_connection(self), &in,
              *std::move(next));
      }
    } catch (const std::bad_alloc&) { // the connection ends; the next one may find room again
      self.system.log().warn("no memory for a connection: it was closed");
    }
  }
}

void server_core::turn_away(stream& client) {
  count(event::turned_away);
  std::string refusal;
  const auto why =
      fmt::format("this server has {} connections already, its limit; try again later\n", options.limits.connections);
  write_response(refusal, text(why, 503), {.close = true}, system.wall_now());
  // Fits the empty buffer of a new connection; who does not get it sees the close.
  (void)client.try_write(std::as_bytes(std::span(refusal)));
}

void server_core::count(event what) noexcept {
  // Release: who sees that something has ended sees that it began.
  shares_[share_here() % lane_count].counts[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_release);
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

open_connection::open_connection(server_core& server) noexcept : here_(server) { server.count(event::accepted); }

open_connection::~open_connection() {
  if (here_) here_.server().count(event::closed);
}

void server_core::leave() noexcept {
  const auto last_to_know = deserted_; // a copy: once present_ has been counted down, the server may be gone
  if (--present_ == 0) last_to_know.cancel();
}

void server_core::begin_stop() noexcept {
  if (draining_.exchange(true)) return;
  if (entrance) entrance->close();
  for (auto& l : lanes_) {
    std::lock_guard guard(l->lock);
    for (auto* c = l->first; c != nullptr; c = c->next_)
      c->io_->wake(); // one that is not in the list yet will see draining_
  }
  leave();
}

void server_core::cancel_all() noexcept {
  for (auto& l : lanes_) l->ctx.cancel(error(errc::stopped, "the HTTP server is stopping"));
}

task<bool> server_core::deserted_within(std::chrono::milliseconds limit) {
  const auto end = saturating_add(system.now(), limit);
  co_await select(deserted_.ctx.done(), at(end));
  co_return deserted();
}

task<server_stop_report> server_core::stop(std::chrono::milliseconds limit) {
  begin_stop();
  const bool drained = co_await deserted_within(limit);
  if (drained) co_return server_stop_report();
  server_stop_report report;
  report.cut_off = stats().in_flight;
  cancel_all();
  const bool unwound = co_await deserted_within(unwind_time);
  if (!unwound) {
    for (auto& l : lanes_) greenroom::detail::kill_under(l->ctx.ctx.node());
    co_await deserted_within(unwind_time);
  }
  report.left = stats().in_flight;
  co_return report;
}

void server_core::abandon() noexcept {
  begin_stop();
  cancel_all();
  for (int round = 0; !deserted(); ++round) {
    if (round == 5'000) {
      system.log().error(
          "the destructor of an HTTP server waits for {} request(s) whose code does not return to a wait",
          stats().in_flight);
    }
    std::this_thread::sleep_for(1ms);
  }
}

} // namespace greenroom::http::internal
