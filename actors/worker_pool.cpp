#include <greenroom/actors/worker_pool.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/runtime/detail/reason_of.hpp>

namespace greenroom::detail {

std::uint64_t pool_base::raise_submitted(std::uint64_t seen) noexcept {
  auto most = submitted.load(std::memory_order_relaxed);
  while (most < seen && !submitted.compare_exchange_weak(most, seen, std::memory_order_relaxed)) {}
  return std::max(most, seen);
}

task<result<void>> pool_base::join(time_point deadline) const {
  for (const auto& worker : workers) {
    auto ended = co_await select(worker.join(), at(deadline));
    if (ended.index() == 0) continue;
    std::size_t left = 0;
    for (const auto& w : workers) left += w.finished() ? 0U : 1U;
    co_return error(errc::timed_out,
                    fmt::format("worker_pool: drain: {} of {} workers are still busy; wait longer, or stop()", left,
                                workers.size()));
  }
  co_return result<void>();
}

void pool_base::cancel_workers() const {
  for (const auto& worker : workers) worker.cancel(error(errc::cancelled, "the worker pool was stopped"));
}

error error_of_job(const std::exception_ptr& thrown) {
  const auto why = reason_of(thrown);
  if (why.kind() == exit_kind::cancelled) return why.why();
  return {why.why().code(), fmt::format("job failed: {}", why.why().message())};
}

void log_failed_job(const error& why) { this_actor::system().log().warn("worker_pool: {}", why.message()); }

} // namespace greenroom::detail
