#include <greenroom/runtime/stop_signal.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <greenroom/runtime/error.hpp>

namespace greenroom {
namespace {

// What a signal handler may touch: lock-free atomics. The descriptor stays open once it was made, so that a handler that
// runs late never writes into another file.
std::atomic<int> event_fd{-1};
std::atomic<int> number_of_signal{-1}; // -1: none yet
std::atomic<bool> in_use{false};
struct sigaction former_int; // written before our handlers stand, constant while they do
struct sigaction former_term;

/// Gives the signals back to whoever had them; also called by a handler: sigaction() is async-signal-safe.
void restore() noexcept {
  ::sigaction(SIGINT, &former_int, nullptr);
  ::sigaction(SIGTERM, &former_term, nullptr);
}

void note(int number) noexcept {
  const int saved = errno;
  int none = -1;
  number_of_signal.compare_exchange_strong(none, number);
  const std::uint64_t one = 1;
  // Full is fine: then it is readable already.
  [[maybe_unused]] const auto written = ::write(event_fd.load(), &one, sizeof one);
  errno = saved;
}

extern "C" void greenroom_note_stop_signal(int number) {
  const int saved = errno;
  restore();
  errno = saved;
  note(number);
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

} // namespace

stop_signal::stop_signal() {
  if (in_use.exchange(true)) throw usage_error("stop_signal: there is one in this process already; share that one");
  number_of_signal = -1;
  std::uint64_t old = 0;
  if (event_fd.load() < 0) {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
      in_use = false;
      fail("stop_signal: cannot make an event descriptor");
    }
    event_fd = fd;
  } else {
    [[maybe_unused]] const auto drained = ::read(event_fd.load(), &old, sizeof old);
  }
  struct sigaction ours {};
  ours.sa_handler = greenroom_note_stop_signal;
  ours.sa_flags = SA_RESTART;
  sigemptyset(&ours.sa_mask);
  // Neither can fail: the numbers are valid and catchable (sigaction(2), ERRORS).
  ::sigaction(SIGINT, nullptr, &former_int);
  ::sigaction(SIGTERM, nullptr, &former_term);
  ::sigaction(SIGINT, &ours, nullptr);
  ::sigaction(SIGTERM, &ours, nullptr);
}

stop_signal::~stop_signal() {
  if (!came()) restore(); // otherwise it was done, and somebody else may have the signals by now
  in_use = false;
}

int stop_signal::wait() {
  pollfd waited{event_fd.load(), POLLIN, 0};
  while (!came()) {
    if (::poll(&waited, 1, -1) < 0 && errno != EINTR) fail("stop_signal: cannot wait");
  }
  return number_of_signal.load();
}

bool stop_signal::came() const noexcept { return number_of_signal.load() >= 0; }

void stop_signal::stop() noexcept {
  if (came()) return;
  restore();
  note(0);
}

} // namespace greenroom
