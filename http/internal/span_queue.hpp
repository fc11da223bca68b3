// The spans on their way to an exporter: a queue with a bound, whose counts tell what became of all of them.
// Thread safety: any thread. Lifetime: the system keeps it as long as it lives, the exporter's actor as long as that lives.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/span.hpp>

namespace greenroom::http::internal {

class span_queue final : public span_sink {
public:
  /// `full` is told when a batch is complete.
  span_queue(std::size_t most, std::size_t batch, address<nothing> full)
      : most_(most), batch_(batch), full_(std::move(full)) {}

  void ended(span what) noexcept override;
  /// Takes out the oldest ones, a batch at most.
  std::vector<span> take();
  /// Drops what is left, and all that comes from now on.
  void close() noexcept;
  std::size_t size() const noexcept;
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  void add_dropped(std::uint64_t n) noexcept { dropped_.fetch_add(n, std::memory_order_relaxed); }

private:
  const std::size_t most_;
  const std::size_t batch_;
  const address<nothing> full_;
  mutable std::mutex mutex_;
  std::deque<span> waiting_; // guarded by mutex_, as is closed_
  bool closed_ = false;
  std::atomic<std::uint64_t> dropped_{0};
};

} // namespace greenroom::http::internal
