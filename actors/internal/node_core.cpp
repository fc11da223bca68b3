#include <greenroom/actors/internal/node_core.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/detail/retry_tokens.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/detail/loopback.hpp>
#include <greenroom/runtime/log.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::internal {
namespace {

using namespace std::chrono_literals;

// A host has many nodes at most, and who says nothing may be there for as long as `detection`.
constexpr std::uint32_t most_strangers_of_a_host = 64;
constexpr std::uint32_t most_lines_a_second = 10;

std::string host_of(std::string_view peer) {
  return std::string(greenroom::detail::address_counts::without_port(peer));
}

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
  if (o.most_bytes < least_most_bytes)
    bad(fmt::format("most_bytes must be {} at least, not {}", least_most_bytes, o.most_bytes));
  if (o.most_connections == 0) bad("most_connections must be more than 0");
  if (o.window == 0 || o.window > 65'536)
    bad(fmt::format("the window must be from 1 to 65536 items, not {}", o.window));
  if (!o.tls && o.listen && !greenroom::detail::is_loopback(o.host))
    bad(fmt::format("it must not listen at {} without certificates (tls): anybody could send to its actors", o.host));
}

/// A limit that has passed says by itself neither what it was for nor how long it was.
error in_words(error why, const char* what, std::chrono::milliseconds limit) {
  if (!why.is(errc::timed_out)) return why;
  return {errc::timed_out, fmt::format("{} took longer than {}", what, greenroom::detail::show_duration(limit))};
}

} // namespace

node_core::node_core(actor_system& system, node_setup how)
    : sys(system),
      options((check(how), std::move(how))),
      offers(std::make_shared<publications>()),
      born(static_cast<std::uint64_t>(sys.wall_now().time_since_epoch().count())),
      life(system.context().with_cancel()) {}

result<void> node_core::start() {
  if (entrance_) return error(errc::invalid_argument, fmt::format("node {}: it was started before", options.name));
  if (options.tls) {
    const auto& t = *options.tls;
    tls_written_ = certificates_written();
    auto in = tls_server::make({.certificate_file = t.certificate_file,
                                .key_file = t.key_file,
                                .clients = client_certificates::required,
                                .client_ca_file = t.ca_file,
                                .alpn = {"greenroom-node"}});
    if (!in) return in.error();
    tls_in_ = *std::move(in);
    if (const auto fine = client_tls(); !fine) return fine.error();
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

std::shared_ptr<node_session> node_core::make_session(wire_role role, std::uint32_t line, session_owner* owner) {
  return std::make_shared<node_session>(sys, offers, role,
                                        introduction{.name = options.name,
                                                     .life = born,
                                                     .line = line,
                                                     .detection = duration(options.detection).count(),
                                                     .most_bytes = options.most_bytes},
                                        options.window, owner);
}

std::shared_ptr<node_session> node_core::replace(const introduction& who, const std::shared_ptr<node_session>& by) {
  const std::lock_guard guard(lock_);
  return std::exchange(lines_[{who.name, who.life, who.line}], by).lock();
}

void node_core::forget(const introduction& who, const std::shared_ptr<node_session>& session) {
  const std::lock_guard guard(lock_);
  const auto found = lines_.find({who.name, who.life, who.line});
  if (found != lines_.end() && found->second.lock() == session) lines_.erase(found);
}

result<void> node_core::came(const std::string& host) {
  if (taken_in_ >= options.most_connections)
    return error(errc::limit,
                 fmt::format("{} nodes are connected, which is most_connections", options.most_connections));
  if (!strangers_.enter(host, most_strangers_of_a_host))
    return error(errc::limit,
                 fmt::format("{} connections from {} have not said yet who they are", most_strangers_of_a_host, host));
  ++taken_in_;
  return {};
}

void node_core::warn(const std::string& what) {
  std::uint64_t unsaid = 0;
  {
    const std::lock_guard guard(lock_);
    if (sys.now() - second_ >= 1s) {
      second_ = sys.now();
      warned_ = 0;
    }
    if (warned_ == most_lines_a_second) {
      ++kept_back_;
      return;
    }
    ++warned_;
    unsaid = std::exchange(kept_back_, 0);
  }
  const auto more = unsaid == 0 ? std::string() : fmt::format(" ({} lines like this were left out before)", unsaid);
  sys.log().warn("node {}: {}{}", options.name, what, more);
}

task<> node_core::accept(std::shared_ptr<node_core> self) {
  for (;;) {
    auto client = co_await self->entrance_->accept();
    if (client) {
      const auto from = (*client)->peer();
      if (const auto room = self->came(host_of(from)); room) {
        self->sys.spawn({.name = "node client", .ctx = self->life.ctx}, serve, self, *std::move(client));
      } else {
        self->warn(fmt::format("{} is refused: {}", from, room.error().message()));
      }
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
    client(node_core* c, std::string h) : core(c), host(std::move(h)) {}
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() override {
      if (!known) core->strangers_.leave(host);
      --core->taken_in_;
    }
    result<std::shared_ptr<node_session>> met(const introduction& it) override {
      who = it;
      known = true;
      core->strangers_.leave(host);
      return core->replace(who, session);
    }
    node_core* core;
    const std::string host;
    bool known = false;
    introduction who;
    std::shared_ptr<node_session> session;
  };
  const auto from = io->peer();
  client it(self.get(), host_of(from));
  auto connection = noted_connection::over(std::move(io), self->sys);
  if (self->tls_in_) {
    auto renewing = renew(self);
    co_await std::move(renewing);
    auto shaken = with_timeout(self->options.detection, self->tls_in_->accept(std::move(connection.io)));
    auto made = co_await std::move(shaken);
    if (!made) {
      const auto why = in_words(made.error(), "its TLS handshake", self->options.detection);
      self->warn(fmt::format("{} is refused: {}", from, why.message()));
      co_return;
    }
    connection.io = *std::move(made);
  }
  it.session = self->make_session(wire_role::serves, 0, &it);
  auto running = node_session::run(it.session, std::move(connection), self->settings());
  const auto why = co_await std::move(running);
  self->sys.log().info("node {}: {} at {} has gone: {}", self->options.name,
                       it.who.name.empty() ? "somebody" : it.who.name, from, why);
  // Who connects again in its place must know of it until then.
  co_await node_session::drained(it.session);
  self->forget(it.who, it.session);
}

std::filesystem::file_time_type node_core::certificates_written() const {
  auto last = std::filesystem::file_time_type::min();
  for (const auto* file : {&options.tls->ca_file, &options.tls->certificate_file, &options.tls->key_file}) {
    std::error_code none; // a file that is not there is reported by who reads it
    last = std::max(last, std::filesystem::last_write_time(*file, none));
  }
  return last;
}

task<> node_core::renew(std::shared_ptr<node_core> self) {
  const auto look = [me = self.get()]() -> result<void> {
    const auto written = me->certificates_written();
    if (me->tls_written_.exchange(written) == written) return {};
    const auto done = me->tls_in_->reload();
    if (!done) return done.error();
    return {};
  };
  const auto renewed = co_await blocking(look);
  if (!renewed)
    self->sys.log().warn("node {}: it goes on with the certificates that it has: {}", self->options.name,
                         renewed.error().message());
}

/// Read anew for each connection: so renewed certificates are taken up, and who only connects need not start the node.
result<tls_client> node_core::client_tls() const {
  return tls_client::make({.ca_file = options.tls->ca_file,
                           .certificate_file = options.tls->certificate_file,
                           .key_file = options.tls->key_file,
                           .alpn = {"greenroom-node"}});
}

/// The handshake has a limit of its own: over a slow line each of the two takes a second and more.
task<result<noted_connection>> node_core::connect(std::shared_ptr<node_core> self, endpoint at) {
  std::optional<tls_client> tls;
  if (self->options.tls) {
    const auto load = [me = self.get()] { return me->client_tls(); };
    auto loaded = co_await blocking(load);
    if (!loaded) co_return loaded.error();
    tls = *std::move(loaded);
  }
  auto connecting = with_timeout(self->options.detection, connect_raw(self, at));
  auto raw = co_await std::move(connecting);
  if (!raw) co_return in_words(raw.error(), "a connection", self->options.detection);
  auto connection = noted_connection::over(*std::move(raw), self->sys);
  if (!tls) co_return connection;
  auto shaking = with_timeout(self->options.detection, tls->connect(std::move(connection.io), at.host));
  auto io = co_await std::move(shaking);
  if (!io) co_return in_words(io.error(), "the TLS handshake", self->options.detection);
  connection.io = *std::move(io);
  co_return connection;
}

task<result<std::unique_ptr<stream>>> node_core::connect_raw(std::shared_ptr<node_core> self, endpoint at) {
  co_return co_await self->sys.net().connect(std::move(at));
}

task<result<std::string>> node_core::attempt(std::shared_ptr<node_core> self, endpoint at,
                                             std::shared_ptr<node_session> session) {
  auto connecting = connect(self, std::move(at));
  auto made = co_await std::move(connecting);
  if (!made) co_return made.error();
  auto running = node_session::run(std::move(session), *std::move(made), self->settings());
  co_return co_await std::move(running);
}

// -- a peer -----------------------------------------------------------------------------------------

peer_core::peer_core(std::shared_ptr<node_core> of, endpoint at, std::string name)
    : of_(std::move(of)),
      at_(std::move(at)),
      expected_(std::move(name)),
      line_(of_->new_line()),
      life_(of_->life.ctx.with_cancel()),
      name_(at_.to_string()) {
  if (!of_->options.tls && !greenroom::detail::is_loopback(at_.host))
    throw usage_error(
        fmt::format("node: it must not connect to {} without certificates (tls): anybody could be there", name_));
}

void peer_core::start() { of_->sys.spawn({.name = "node peer", .ctx = life_.ctx}, keep, shared_from_this()); }

task<> peer_core::keep(std::shared_ptr<peer_core> self) {
  struct ending {
    peer_core* of;
    ~ending() { of->end(); }
  };
  const ending then{self.get()};
  auto pause = duration(self->of_->options.least_pause);
  for (;;) {
    auto session = self->of_->make_session(wire_role::connects, self->line_, self.get());
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

result<std::shared_ptr<node_session>> peer_core::met(const introduction& who) {
  std::vector<std::shared_ptr<detail::outflow>> wanted;
  std::shared_ptr<node_session> session;
  if (!expected_.empty() && who.name != expected_)
    return error(errc::unavailable, fmt::format("it is the node '{}', and '{}' is wanted", who.name, expected_));
  {
    const std::lock_guard guard(lock_);
    name_ = who.name;
    up_ = true;
    session = session_;
    for (auto& each : flows_) {
      if (auto flow = each.second.lock()) wanted.push_back(std::move(flow));
    }
  }
  of_->sys.log().info("node {}: {} at {} is up", of_->options.name, who.name, at_.to_string());
  for (auto& flow : wanted) session->open(std::move(flow));
  return nullptr;
}

void peer_core::lost(const std::string& why) {
  std::vector<address<node_down>> told;
  node_down notice;
  bool was_up = false;
  bool wanted = true, is_new = false;
  {
    const std::lock_guard guard(lock_);
    was_up = std::exchange(up_, false);
    wanted = !over_;
    is_new = why_ != why;
    why_ = why;
    notice = {name_, why};
    told.swap(monitors_);
  }
  if (was_up || (wanted && is_new)) {
    const auto text =
        was_up ? fmt::format("node {}: {} at {} is down: {}", of_->options.name, notice.name, at_.to_string(), why)
               : fmt::format("node {}: {} is not reached, and is tried again: {}", of_->options.name, at_.to_string(),
                             why);
    of_->sys.log().write(wanted ? log_level::warn : log_level::info, text);
  }
  for (auto& each : told) (void)each.try_send(notice);
}

/// Nobody connects any more. Called wherever the actor is when it ends.
void peer_core::end() noexcept {
  std::map<std::uint32_t, std::weak_ptr<detail::outflow>> flows;
  {
    const std::lock_guard guard(lock_);
    over_ = true;
    flows.swap(flows_);
  }
  lost("this side has closed the connection");
  for (auto& each : flows) {
    if (const auto flow = each.second.lock()) flow->refuse(closed_here());
  }
}

error peer_core::closed_here() const {
  return {errc::closed, fmt::format("the connection to node {} was closed on this side", at_.to_string())};
}

std::shared_ptr<detail::outflow> peer_core::begin(std::string name, detail::flow_types types, bool waits) {
  std::shared_ptr<detail::outflow> flow;
  std::shared_ptr<node_session> session;
  bool is_over = false;
  {
    const std::lock_guard guard(lock_);
    flow = std::make_shared<detail::outflow>(next_stream_++, std::move(name), std::move(types), waits);
    std::erase_if(flows_, [](const auto& each) { return each.second.expired(); });
    if (!over_) flows_.emplace(flow->stream(), flow);
    is_over = over_;
    if (up_) session = session_;
  }
  if (is_over) flow->refuse(closed_here());
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
    if (monitors_.size() >= look_at_) {
      std::erase_if(monitors_, [](const auto& each) { return each.closed(); });
      look_at_ = std::max<std::size_t>(16, 2 * monitors_.size());
    }
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

error peer_core::why_not(std::chrono::milliseconds limit) const {
  const std::lock_guard guard(lock_);
  if (up_)
    return {errc::unavailable, fmt::format("node {} is up and has not answered within {}", name_,
                                           greenroom::detail::show_duration(limit))};
  return {errc::unavailable, fmt::format("node {} was not reached within {}; the last reason: {}", name_,
                                         greenroom::detail::show_duration(limit), why_)};
}

} // namespace greenroom::internal
