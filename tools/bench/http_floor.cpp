// What an answer costs at least: http_floor [THREADS]. Each thread has an epoll loop and a listening socket of its own, takes what
// has come for the heads of requests without a body, parses nothing, and sends one canned answer for each blank line; after a POST
// it skips the body, of `echoed` bytes, and sends it back. A request for /task is answered after `task_time`. No limit, no time-out, no care: a floor, not a server.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t echoed = 1024;
constexpr auto task_time = std::chrono::milliseconds(20);

int listen_at(in_port_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // handed on to those it accepts
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = port;
  const auto* const any = reinterpret_cast<const sockaddr*>(&at);
  return ::bind(fd, any, sizeof at) == 0 && ::listen(fd, 4096) == 0 ? fd : -1;
}

in_port_t port_of(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return at.sin_port;
}

void watch(int poll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

std::string answer_with(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// Connections that wait for their task, the first one first, since all take as long.
struct tasks {
  struct task {
    steady::time_point due;
    int fd;
  };
  std::deque<task> waiting;

  void finish_due() {
    if (waiting.empty()) return;
    static const std::string done = answer_with("Success: task completed\n");
    for (const auto now = steady::now(); !waiting.empty() && waiting.front().due <= now; waiting.pop_front())
      (void)::send(waiting.front().fd, done.data(), done.size(), MSG_NOSIGNAL);
  }
  /// Units: milliseconds, for epoll_wait.
  int time_left() const {
    if (waiting.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting.front().due - steady::now());
    return std::max(0, static_cast<int>(left.count()));
  }
};

/// Answers all requests in `got`; wrk sends each whole.
void answer(int fd, std::string_view got, std::string& out) {
  static const std::string hello = answer_with("Hello, World!");
  out.clear();
  while (!got.empty()) {
    const bool post = got.starts_with("POST");
    const auto head_end = got.find("\r\n\r\n");
    if (head_end == std::string_view::npos) break;
    got.remove_prefix(head_end + 4);
    if (post) {
      out += answer_with(got.substr(0, echoed));
      got.remove_prefix(std::min(got.size(), echoed));
    } else {
      out += hello;
    }
  }
  (void)::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
}

void serve(int listening) {
  const int poll = ::epoll_create1(0);
  watch(poll, listening);
  std::array<epoll_event, 512> events{};
  std::vector<char> buffer(65'536);
  std::string out;
  tasks under_way;
  for (;;) {
    const int count = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), under_way.time_left());
    under_way.finish_due();
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listening) {
        for (int made; (made = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) watch(poll, made);
        continue;
      }
      const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got > 0 && std::string_view(buffer.data(), static_cast<std::size_t>(got)).starts_with("GET /task")) {
        under_way.waiting.push_back({steady::now() + task_time, fd});
      } else if (got > 0) {
        answer(fd, {buffer.data(), static_cast<std::size_t>(got)}, out);
      }
      if (got == 0 || (got < 0 && errno != EAGAIN)) ::close(fd);
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const int first = listen_at(0);
  if (first < 0) {
    std::perror("http_floor: cannot listen at 127.0.0.1");
    return 1;
  }
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([at = port_of(first)] { serve(listen_at(at)); });
  std::printf("listening on http://127.0.0.1:%u\n", unsigned{ntohs(port_of(first))});
  std::fflush(stdout);
  serve(first);
}
