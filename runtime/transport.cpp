#include <greenroom/runtime/transport.hpp>

#include <mutex>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/wake_list.hpp>
#include <greenroom/runtime/internal/asio_transport.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom {

namespace detail {

void readiness_source::wake(io_side side) noexcept {
  wake_list woken; // made ready once the lock is free: they will take it
  std::lock_guard guard(lock);
  auto& queue = waiting[static_cast<std::size_t>(side)];
  while (auto* w = queue.claim_front()) woken.add(*w);
}

void readiness_source::wake() noexcept {
  wake(io_side::reading);
  wake(io_side::writing);
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
