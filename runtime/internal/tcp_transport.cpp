#include <greenroom/runtime/internal/tcp_transport.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <system_error>

#include <netinet/tcp.h>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/internal/socket_calls.hpp>
#include <greenroom/runtime/internal/worker.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom::internal {
namespace {

using detail::io_side;

constexpr const char* foreign_executor =
    "the system runs on an executor of its environment, which polls no sockets; set environment::net too";

error failure_of(const char* what, const std::string& on, int number) {
  return {errc::io, fmt::format("cannot {}: {}: {}", what, on, std::generic_category().message(number))};
}

error failure_of(const char* what, const std::string& on, const attempt& made) {
  if (made.closed()) return {errc::closed, fmt::format("cannot {}: {}: it was closed on this side", what, on)};
  return failure_of(what, on, made.error);
}

class tcp_stream final : public stream {
public:
  tcp_stream(std::shared_ptr<polled_socket> socket, const socket_address& peer) noexcept
      : stream(*socket), socket_(std::move(socket)), peer_(peer) {}
  ~tcp_stream() override { tcp_stream::close(); }

  result<std::size_t> try_read(std::span<std::byte> into) override {
    assert(!into.empty());
    const auto got = socket_->try_move(io_side::reading, into.size(), [into](int fd) { return receive_now(fd, into); });
    if (got.done()) return static_cast<std::size_t>(got.value);
    if (got.must_wait()) return errc::empty;
    return failure_of("read from", peer(), got);
  }

  result<std::size_t> try_write(std::span<const std::byte> bytes) override {
    const auto put = socket_->try_move(io_side::writing, bytes.size(), [bytes](int fd) { return send_now(fd, bytes); });
    if (put.done()) return static_cast<std::size_t>(put.value);
    if (put.must_wait()) return errc::full;
    return failure_of("write to", peer(), put);
  }

  void shutdown_send() noexcept override {
    socket_->try_call([](int fd) { return ::shutdown(fd, SHUT_WR); }); // if it fails, the next read says why
  }

  void close() noexcept override { socket_->close(); }

  greenroom::peer_state peer_state() const noexcept override {
    tcp_info info{};
    socklen_t size = sizeof info;
    const auto got = socket_->try_call([&](int fd) { return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size); });
    if (!got.done()) return greenroom::peer_state::there;
    switch (info.tcpi_state) {
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
    case TCP_CLOSING:
    case TCP_TIME_WAIT: return greenroom::peer_state::ended;
    case TCP_CLOSE: return greenroom::peer_state::broken;
    default: return greenroom::peer_state::there;
    }
  }

  std::string peer() const override { return peer_.to_string(); }

private:
  const std::shared_ptr<polled_socket> socket_;
  const socket_address peer_;
};

/// Errors that accept() reports of a connection that is gone already (accept(2), "Error handling"): the next one may do.
bool concerns_one_connection(int number) noexcept {
  constexpr std::array numbers{ECONNABORTED, ENETDOWN,     EPROTO,      ENOPROTOOPT, EHOSTDOWN,
                               ENONET,       EHOSTUNREACH, ENETUNREACH, EOPNOTSUPP,  EPERM};
  return std::ranges::find(numbers, number) != numbers.end();
}

class tcp_listener final : public listener {
public:
  tcp_listener(tcp_transport& net, std::shared_ptr<polled_socket> socket, const socket_address& at) noexcept
      : listener(*socket), net_(net), socket_(std::move(socket)), at_(at) {}
  ~tcp_listener() override { tcp_listener::close(); }

  result<std::unique_ptr<stream>> try_accept() override {
    for (;;) {
      socket_address from;
      const auto got = socket_->try_move(io_side::reading, 0, [&from](int fd) {
        from.size = sizeof(from.v6);
        return ::accept4(fd, &from.any, &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      });
      if (got.done()) return net_.accepted(unique_fd(static_cast<int>(got.value)), from);
      if (got.must_wait()) return errc::empty;
      if (got.error == EMFILE || got.error == ENFILE) {
        return error(errc::limit, fmt::format("cannot accept at: {}: {}; raise the limit (ulimit -n) or close some",
                                              at_.to_string(), std::generic_category().message(got.error)));
      }
      if (!concerns_one_connection(got.error)) return failure_of("accept at", at_.to_string(), got);
    }
  }

  std::uint16_t port() const noexcept override { return at_.port(); }
  void close() noexcept override { socket_->close(); }

private:
  tcp_transport& net_;
  const std::shared_ptr<polled_socket> socket_;
  const socket_address at_;
};

unique_fd new_socket(const socket_address& at) noexcept {
  unique_fd fd(::socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  // Small writes go out at once. Of large ones no more waits in the kernel than it needs to keep the line busy: a reader that is slow
  // costs less memory, and one that takes a little is seen to take it; else room comes in megabytes. Linux hands the options of a
  // listening socket on to those it accepts.
  const int on = 1;
  const int most_unsent = 131'072;
  if (fd) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fd) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most_unsent, sizeof most_unsent);
  return fd;
}

} // namespace

tcp_transport::tcp_transport(detail::runtime_core& core, worker_team* team) : core_(core), team_(team) {}

const std::shared_ptr<poller>& tcp_transport::next_poller() noexcept {
  return team_->at(next_.fetch_add(1, std::memory_order_relaxed) % team_->workers()).io();
}

const std::shared_ptr<poller>& tcp_transport::poller_here() noexcept {
  auto* const here = static_cast<worker*>(detail::this_turn.worker);
  return here != nullptr && detail::this_turn.core == &core_ ? here->io() : next_poller();
}

result<std::unique_ptr<listener>> tcp_transport::listen(const endpoint& at, const listen_options& how) {
  const auto shown = at.to_string();
  if (team_ == nullptr) return error(errc::unsupported, fmt::format("cannot listen: {}: {}", shown, foreign_executor));
  const auto address = numeric_address(at);
  if (!address) {
    return error(errc::invalid_argument,
                 fmt::format("cannot listen: {}: the host must be a numeric address, such as 127.0.0.1 or ::1; 0.0.0.0 "
                             "or :: stands for all of this machine",
                             shown));
  }
  if (how.backlog < 1) {
    return error(errc::invalid_argument,
                 fmt::format("cannot listen: {}: the backlog must be at least 1, not {}", shown, how.backlog));
  }
  auto fd = new_socket(*address);
  socket_address bound;
  const int on = 1;
  // Not for two listeners at once, which Linux refuses all the same, but for a port whose old connections are not forgotten.
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd.get(), &address->any, address->size) != 0 || ::listen(fd.get(), how.backlog) != 0 ||
      ::getsockname(fd.get(), &bound.any, &bound.size) != 0) {
    const int number = errno;
    const auto failure = failure_of("listen", shown, number);
    return number == EADDRINUSE ? error(errc::already_exists, std::string(failure.message())) : failure;
  }
  auto socket = polled_socket::adopt(poller_here(), std::move(fd), all_);
  if (!socket) return error(errc::io, fmt::format("cannot listen: {}: {}", shown, socket.error().message()));
  return std::make_unique<tcp_listener>(*this, *std::move(socket), bound);
}

result<std::unique_ptr<stream>> tcp_transport::accepted(unique_fd fd, const socket_address& from) {
  auto socket = polled_socket::adopt(next_poller(), std::move(fd), all_);
  if (!socket)
    return error(errc::io, fmt::format("cannot accept from: {}: {}", from.to_string(), socket.error().message()));
  return std::make_unique<tcp_stream>(*std::move(socket), from);
}

task<result<std::unique_ptr<stream>>> tcp_transport::connect(endpoint to) {
  if (team_ == nullptr)
    co_return error(errc::unsupported, fmt::format("cannot connect: {}: {}", to.to_string(), foreign_executor));
  const auto numeric = numeric_address(to);
  if (numeric) co_return co_await connect_to(*numeric, to);
  auto addresses = co_await addresses_of(to);
  if (!addresses) co_return addresses.error();
  for (std::size_t i = 0;; ++i) {
    auto made = co_await connect_to((*addresses)[i], to);
    if (made || i + 1 == addresses->size()) co_return made;
  }
}

/// Looks the name up on a blocking thread. Not by blocking(), which waits for its function's end: a name service may take longer
/// than the caller's limit, and the function needs nothing of the caller's.
task<result<std::vector<socket_address>>> tcp_transport::addresses_of(endpoint to) {
  auto answer = make_mailbox<result<std::vector<socket_address>>>(bounded(1));
  detail::submit_blocking(core_, [to, out = std::move(answer.out)] { (void)out.try_send(look_up(to)); });
  auto found = co_await answer.in.receive();
  co_return *std::move(found);
}

task<result<std::unique_ptr<stream>>> tcp_transport::connect_to(socket_address address, endpoint shown) {
  co_await detail::io_step();
  auto fd = new_socket(address);
  // Before it is polled: a socket that is not connecting counts as hung up. EINTR: it goes on all the same.
  const bool made = fd && ::connect(fd.get(), &address.any, address.size) == 0;
  if (!made && (!fd || (errno != EINPROGRESS && errno != EINTR)))
    co_return failure_of("connect", shown.to_string(), errno);
  auto socket = polled_socket::adopt(poller_here(), std::move(fd), all_);
  if (!socket)
    co_return error(errc::io, fmt::format("cannot connect: {}: {}", shown.to_string(), socket.error().message()));
  auto connection = std::make_unique<tcp_stream>(*socket, address); // closes it when the wait is cancelled
  if (!made) {
    co_await connection->writable();
    int failure = 0;
    (*socket)->try_call([&failure](int number) {
      socklen_t size = sizeof failure;
      return ::getsockopt(number, SOL_SOCKET, SO_ERROR, &failure, &size);
    });
    if (failure != 0) co_return failure_of("connect", shown.to_string(), failure);
  }
  co_return std::unique_ptr<stream>(std::move(connection));
}

} // namespace greenroom::internal
