// The last texts of an actor system, for the flight recorder: lines of the log, and items whose text is wanted.
// Thread safety: any thread. Lifetime: owns the texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <greenroom/runtime/detail/flight_ring.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/log.hpp>

namespace greenroom::internal {

struct kept_text {
  flight_kind what = flight_kind::none; // logged, or took
  log_level level = log_level::info;    // of a line
  std::uint32_t at = 0;                 // Units: milliseconds since the system started
  std::uint64_t actor = 0;
  std::size_t ring = 0;     // in which the event has its place
  std::uint64_t number = 0; // of that place
  const std::type_info* type = nullptr;
  std::uint16_t mailbox = 0; // flight_words::tag_of()
  std::string name = {};     // of the actor, if it was told
  std::string text = {};
  std::string trace_id = {}; // of a line
};

class line_ring {
public:
  explicit line_ring(std::size_t most) : most_(most) {}

  void add(kept_text one) noexcept {
    if (most_ == 0) return;
    std::lock_guard guard(lock_);
    if (texts_.size() == most_)
      return std::swap(texts_[next_++ % most_], one); // the old one is destroyed without the lock
    try {
      texts_.push_back(std::move(one));
    } catch (...) { // no memory: then this one is not kept
    }
  }

  /// Shows all, the oldest first, under the lock.
  template <class See>
  void read(See see) const {
    std::lock_guard guard(lock_);
    for (std::size_t i = 0; i < texts_.size(); ++i) see(texts_[(next_ + i) % texts_.size()]);
  }

private:
  const std::size_t most_;
  mutable detail::eager_spin_lock lock_;
  std::vector<kept_text> texts_; // guarded by lock_, as is next_
  std::size_t next_ = 0;         // the oldest, once there are as many as may be
};

} // namespace greenroom::internal
