#include <greenroom/runtime/transport.hpp>

#include <mutex>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/wake_list.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/internal/tcp_transport.hpp>

namespace greenroom {

namespace detail {

void readiness_source::wake(std::uint8_t happened) noexcept {
  wake_list woken; // made ready once the lock is free: they will take it
  std::lock_guard guard(lock);
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if ((looks_for[i] & happened) == 0) continue;
    while (auto* w = waiting[i].claim_front()) woken.add(*w);
  }
}

void readiness_source::interrupt() noexcept {
  wake_list woken;
  std::lock_guard guard(lock);
  for (std::size_t side = 0; side < waiting.size(); ++side) {
    interrupted[side] = true;
    while (auto* w = waiting[side].claim_front()) {
      interrupted[side] = false;
      woken.add(*w);
    }
  }
}

void readiness_source::look_for(io_side side, std::uint8_t what) {
  const auto i = static_cast<std::size_t>(side);
  wake_list woken;
  std::lock_guard guard(lock);
  looks_for[i] = what;
  if (waiting[i].empty() || !found_or_watch_locked(side)) return;
  while (auto* w = waiting[i].claim_front()) woken.add(*w);
}

bool readiness_source::found_or_watch_locked(io_side side) {
  const auto what = looks_for[static_cast<std::size_t>(side)];
  bool found = (what & nothing) != 0;
  if ((what & to_read) != 0) found |= ready_or_watch_locked(io_side::reading);
  if ((what & to_write) != 0) found |= ready_or_watch_locked(io_side::writing);
  return found;
}

} // namespace detail

stream::~stream() = default;
listener::~listener() = default;
transport::~transport() = default;

task<result<std::size_t>> stream::read_some(std::span<std::byte> into) {
  for (;;) {
    co_await detail::io_step();
    auto got = try_read(into);
    if (got || !got.error().is(errc::empty)) co_return got;
    co_await readable();
  }
}

task<result<void>> stream::write_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    co_await detail::io_step();
    const auto put = try_write(bytes);
    if (put) {
      bytes = bytes.subspan(*put);
    } else if (put.error().is(errc::full)) {
      co_await writable();
    } else {
      co_return put.error();
    }
  }
  co_return result<void>();
}

task<result<std::unique_ptr<stream>>> listener::accept() {
  for (;;) {
    co_await detail::io_step();
    auto next = try_accept();
    if (next || !next.error().is(errc::empty)) co_return next;
    co_await acceptable();
  }
}

std::string endpoint::to_string() const {
  const bool six = host.find(':') != std::string::npos;
  return six ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

transport& real_transport(actor_system& system) noexcept { return *system.core().sockets; }

} // namespace greenroom
