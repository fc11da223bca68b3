#include <greenroom/actors/internal/node_core.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/detail/retry_tokens.hpp>
#include <greenroom/runtime/detail/loopback.hpp>
#include <greenroom/runtime/log.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::internal {
namespace {

using namespace std::chrono_literals;

void check(const node_setup& o) {
  const auto bad = [](std::string what) { throw usage_error("node: " + std::move(what)); };
  if (!caf_wire::is_built())
    bad("this build has no io module of CAF; install libcaf-dev and build with GREENROOM_NODES=ON");
  if (o.name.empty() || o.name.size() > 64)
    bad(fmt::format("the name must have 1 to 64 characters, not {}", o.name.size()));
  if (o.heartbeat <= 0ms || o.detection < 3 * o.heartbeat)
    bad(fmt::format("detection must be three heartbeats at least, and is {} ms with a heartbeat of {} ms",
                    o.detection.count(), o.heartbeat.count()));
  if (o.least_pause <= 0ms || o.most_pause < o.least_pause)
    bad("least_pause must be more than 0 and no more than most_pause");
  if (o.window == 0 || o.window > 65'536)
    bad(fmt::format("the window must be from 1 to 65536 items, not {}", o.window));
  if (!o.tls && o.listen && !greenroom::detail::is_loopback(o.host))
    bad(fmt::format("it must not listen at {} without certificates (tls): anybody could send to its actors", o.host));
}

} // namespace

node_core::node_core(actor_system& system, node_setup how)
    : sys(system),
      options((check(how), std::move(how))),
      offers(std::make_shared<publications>()),
      us{options.name, static_cast<std::uint64_t>(sys.wall_now().time_since_epoch().count())},
      life(system.context().with_cancel()) {}

result<void> node_core::start() {
  if (options.tls) {
    const auto& t = *options.tls;
    auto in = tls_server::make({.certificate_file = t.certificate_file,
                                .key_file = t.key_file,
                                .clients = client_certificates::required,
                                .client_ca_file = t.ca_file,
                                .alpn = {"greenroom-node"}});
    if (!in) return in.error();
    auto out = tls_client::make({.ca_file = t.ca_file,
                                 .certificate_file = t.certificate_file,
                                 .key_file = t.key_file,
                                 .alpn = {"greenroom-node"}});
    if (!out) return out.error();
    tls_in_ = *std::move(in);
    tls_out_ = *std::move(out);
  }
  if (!options.listen) return {};
  auto made = sys.net().listen({options.host, options.port});
  if (!made) return made.error();
  entrance_ = *std::move(made);
  port_ = entrance_->port();
  sys.spawn({.name = "node accept", .ctx = life.ctx}, accept, shared_from_this());
  return {};
}

void node_core::stop() noexcept {
  life.cancel({errc::stopped, "the node was ended"});
  if (entrance_) entrance_->close();
}

std::shared_ptr<node_session> node_core::make_session(session_owner* owner) {
  return std::make_shared<node_session>(sys, offers, us, options.window, owner);
}

task<> node_core::accept(std::shared_ptr<node_core> self) {
  for (;;) {
    auto client = co_await self->entrance_->accept();
    if (client) {
      self->sys.spawn({.name = "node client", .ctx = self->life.ctx}, serve, self, *std::move(client));
    } else if (client.error().is(errc::closed)) {
      co_return;
    } else {
      self->sys.log().warn("node {}: {}", self->options.name, client.error().message());
      co_await sleep_for(100ms);
    }
  }
}

/// Who connected. It is known by the name it gives; with certificates it has shown that it belongs here.
task<> node_core::serve(std::shared_ptr<node_core> self, std::unique_ptr<stream> io) {
  struct client final : session_owner {
    result<void> met(const std::string& its_name, std::uint64_t) override {
      name = its_name;
      return {};
    }
    std::string name;
  };
  const auto from = io->peer();
  if (self->tls_in_) {
    auto shaken = with_timeout(self->options.detection, self->tls_in_->accept(std::move(io)));
    auto made = co_await std::move(shaken);
    if (!made) {
      self->sys.log().warn("node {}: {} is refused: {}", self->options.name, from, made.error().message());
      co_return;
    }
    io = *std::move(made);
  }
  client who;
  auto running = node_session::run(self->make_session(&who), std::move(io), wire_role::serves, self->settings());
  const auto why = co_await std::move(running);
  self->sys.log().info("node {}: {} at {} has gone: {}", self->options.name, who.name.empty() ? "somebody" : who.name,
                       from, why);
}

task<result<std::unique_ptr<stream>>> node_core::connect(std::shared_ptr<node_core> self, endpoint at) {
  auto raw = co_await self->sys.net().connect(at);
  if (!raw || !self->tls_out_) co_return raw;
  co_return co_await self->tls_out_->connect(*std::move(raw), at.host);
}

task<result<std::string>> node_core::attempt(std::shared_ptr<node_core> self, endpoint at,
                                             std::shared_ptr<node_session> session) {
  auto connecting = with_timeout(self->options.detection, connect(self, std::move(at)));
  auto io = co_await std::move(connecting);
  if (!io) co_return io.error();
  auto running = node_session::run(std::move(session), *std::move(io), wire_role::connects, self->settings());
  co_return co_await std::move(running);
}

// -- a peer -----------------------------------------------------------------------------------------

peer_core::peer_core(std::shared_ptr<node_core> of, endpoint at)
    : of_(std::move(of)), at_(std::move(at)), name_(at_.to_string()) {
  if (!of_->options.tls && !greenroom::detail::is_loopback(at_.host))
    throw usage_error(
        fmt::format("node: it must not connect to {} without certificates (tls): anybody could be there", name_));
}

task<> peer_core::keep(std::shared_ptr<peer_core> self) {
  auto pause = duration(self->of_->options.least_pause);
  for (;;) {
    auto session = self->of_->make_session(self.get());
    {
      const std::lock_guard guard(self->lock_);
      self->session_ = session;
    }
    auto trying = node_core::attempt(self->of_, self->at_, session);
    const auto ended = co_await std::move(trying);
    const bool was_up = self->state() == link_state::up;
    self->lost(ended ? *ended : std::string(ended.error().message()));
    pause = was_up ? duration(self->of_->options.least_pause)
                   : std::min(2 * pause, duration(self->of_->options.most_pause));
    co_await sleep_for(self->of_->options.least_pause + greenroom::detail::full_jitter(pause, 0));
  }
}

result<void> peer_core::met(const std::string& name, std::uint64_t) {
  std::vector<std::shared_ptr<detail::outflow>> wanted;
  std::shared_ptr<node_session> session;
  {
    const std::lock_guard guard(lock_);
    name_ = name;
    up_ = true;
    session = session_;
    for (auto& each : flows_) {
      if (auto flow = each.second.lock()) wanted.push_back(std::move(flow));
    }
  }
  of_->sys.log().info("node {}: {} at {} is up", of_->options.name, name, at_.to_string());
  for (auto& flow : wanted) session->open(std::move(flow));
  return {};
}

void peer_core::lost(const std::string& why) {
  std::vector<address<node_down>> told;
  node_down notice;
  bool was_up = false;
  {
    const std::lock_guard guard(lock_);
    was_up = std::exchange(up_, false);
    why_ = why;
    notice = {name_, why};
    told.swap(monitors_);
  }
  if (was_up)
    of_->sys.log().warn("node {}: {} at {} is down: {}", of_->options.name, notice.name, at_.to_string(), why);
  for (auto& each : told) (void)each.try_send(notice);
}

std::shared_ptr<detail::outflow> peer_core::begin(std::string name, detail::flow_types types, bool waits) {
  std::shared_ptr<detail::outflow> flow;
  std::shared_ptr<node_session> session;
  {
    const std::lock_guard guard(lock_);
    flow = std::make_shared<detail::outflow>(next_stream_++, std::move(name), std::move(types), waits);
    std::erase_if(flows_, [](const auto& each) { return each.second.expired(); });
    flows_.emplace(flow->stream(), flow);
    if (up_) session = session_;
  }
  if (session) session->open(flow);
  return flow;
}

void peer_core::forget(const std::shared_ptr<detail::outflow>& flow) {
  {
    const std::lock_guard guard(lock_);
    flows_.erase(flow->stream());
  }
  flow->end();
}

mailbox<node_down> peer_core::monitor() {
  auto ends = make_mailbox<node_down>(bounded(1));
  const std::lock_guard guard(lock_);
  if (up_) {
    monitors_.push_back(std::move(ends.out));
  } else {
    (void)ends.out.try_send({name_, why_});
  }
  return std::move(ends.in);
}

link_state peer_core::state() const {
  const std::lock_guard guard(lock_);
  return up_ ? link_state::up : link_state::connecting;
}

error peer_core::why_down() const {
  const std::lock_guard guard(lock_);
  return {errc::unavailable, fmt::format("node {} was not reached in time; the last reason: {}", name_, why_)};
}

} // namespace greenroom::internal
