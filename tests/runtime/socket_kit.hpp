// Helpers for the tests of connections: a peer in plain system calls, a pair of connected streams, and counts of what is open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <greenroom/runtime/transport.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Reads up to `most` bytes, or until the end.
inline task<result<std::string>> read_text(stream* from, std::size_t most) {
  std::string text;
  while (text.size() < most) {
    char part[4096];
    const auto room = std::as_writable_bytes(std::span(part)).first(std::min(sizeof part, most - text.size()));
    const auto got = co_await from->read_some(room);
    if (!got) co_return got.error();
    if (*got == 0) break;
    text.append(part, *got);
  }
  co_return text;
}

/// Sends back what comes, until the end.
inline task<> echo(std::unique_ptr<stream> with) {
  std::byte buffer[4096];
  for (;;) {
    const auto got = co_await with->read_some(buffer);
    if (!got || *got == 0) co_return;
    const auto put = co_await with->write_all(std::span(buffer).first(*got));
    if (!put) co_return;
  }
}

inline task<> serve_echo(listener* at) {
  for (;;) {
    auto next = co_await at->accept();
    if (!next) co_return;
    spawn(echo, *std::move(next));
  }
}

inline std::unique_ptr<listener> listen_here(actor_system& sys) { return sys.net().listen({"127.0.0.1", 0}).value(); }

inline task<std::unique_ptr<stream>> connect_here(std::uint16_t port) {
  co_return (co_await this_actor::system().net().connect({"127.0.0.1", port})).value();
}

/// Two ends of one connection.
struct stream_pair {
  std::unique_ptr<stream> near;
  std::unique_ptr<stream> far;
};

inline task<stream_pair> make_pair() {
  auto at = listen_here(this_actor::system());
  stream_pair both;
  both.near = co_await connect_here(at->port());
  both.far = (co_await at->accept()).value();
  co_return both;
}

/// A socket by plain, blocking system calls: what another program does.
class raw_socket {
public:
  raw_socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { EXPECT_GE(fd_, 0); }
  raw_socket(const raw_socket&) = delete;
  raw_socket& operator=(const raw_socket&) = delete;
  ~raw_socket() { close(); }

  void connect(std::uint16_t port) {
    const auto to = here(port);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  /// Takes a port that nobody else uses.
  void bind() {
    const auto at = here(0);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  }
  void listen(int backlog) { EXPECT_EQ(::listen(fd_, backlog), 0); }
  std::uint16_t port() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    return ntohs(at.sin_port);
  }
  void send(std::string_view text) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// Closes so that the other side gets a reset.
  void reset() {
    const linger at_once{1, 0};
    EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close();
  }

private:
  static sockaddr_in here(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  int fd_;
};

inline std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}
inline std::size_t open_descriptors() { return entries("/proc/self/fd"); }
inline std::size_t threads() { return entries("/proc/self/task"); }
/// Waits until there are no more threads than `count`; for ever, if one was left behind. Threads that have been joined may still be on
/// their way out of the kernel: they are among those that are there, and may be among those that were counted before.
inline void await_threads(std::size_t count) {
  while (threads() > count) std::this_thread::yield();
}

} // namespace greenroom::test
