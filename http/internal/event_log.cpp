#include <greenroom/http/internal/event_log.hpp>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace greenroom::http::internal {

result<std::uint64_t> event_log::append(std::string data, std::string name) {
  http::event e(std::move(data), std::move(name));
  auto text = event_text(e);
  if (!text) return text.error();
  std::vector<std::string> old; // freed without the lock
  std::uint64_t number = 0;
  {
    std::lock_guard guard(lock_);
    if (closed_) return error(errc::closed, "cannot publish an event: the channel is closed");
    auto line = fmt::format("id: {}-{}\n", how.series, last_ + 1);
    if (line.size() + text->size() > how.backlog_bytes)
      return error(errc::limit, fmt::format("cannot publish an event: it has {} bytes, but no more than {} are kept "
                                            "(event_channel_options::backlog_bytes)",
                                            line.size() + text->size(), how.backlog_bytes));
    kept_.push_back(std::move(line += *text));
    bytes_ += kept_.back().size();
    number = ++last_;
    while (kept_.size() > how.backlog || bytes_ > how.backlog_bytes) {
      const auto size = kept_.front().size();
      old.push_back(std::move(kept_.front()));
      kept_.pop_front();
      bytes_ -= size;
    }
  }
  tell(number, false);
  return number;
}

/// Another thread may have told of a later one already, so `newest` only ever grows.
void event_log::tell(std::uint64_t newest, bool end) noexcept {
  std::lock_guard guard(waiting_lock_);
  newest_ = std::max(newest_, newest);
  ended_ = ended_ || end;
  while (auto* w = waiting_.claim_front()) greenroom::detail::make_ready(*w->cell);
}

void event_log::close() noexcept {
  {
    std::lock_guard guard(lock_);
    closed_ = true;
  }
  tell(0, true);
}

bool event_log::closed() noexcept {
  std::lock_guard guard(lock_);
  return closed_;
}

/// Returns the number in an id of this series; 0, which is none, for any other text.
std::uint64_t event_log::number_of(std::string_view id) const noexcept {
  if (!id.starts_with(how.series) || !id.substr(how.series.size()).starts_with('-')) return 0;
  id.remove_prefix(how.series.size() + 1);
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(id.data(), id.data() + id.size(), number);
  return fault == std::errc() && end == id.data() + id.size() ? number : 0;
}

std::uint64_t event_log::place_of(std::string_view last_id) noexcept {
  std::lock_guard guard(lock_);
  if (last_id.empty()) return last_;
  const auto seen = number_of(last_id);
  const auto before = last_ - kept_.size(); // the last one that is not kept
  const bool known = seen != 0 && seen >= before && seen <= last_;
  (known ? resumed_ : resumed_too_late_).fetch_add(1, std::memory_order_relaxed);
  return known ? seen : before;
}

event_log::taken event_log::take(std::uint64_t& after, std::string& to) {
  std::lock_guard guard(lock_);
  const auto before = last_ - kept_.size();
  if (after < before) return taken::lost;
  if (after == last_) return closed_ ? taken::at_end : taken::some;
  for (std::size_t size = 0; after < last_; ++after) {
    const auto& next = kept_[static_cast<std::size_t>(after - before)];
    if (size != 0 && size + next.size() > batch) break;
    to += next;
    size += next.size();
  }
  return taken::some;
}

bool event_log::enter() noexcept {
  auto now = readers_.load(std::memory_order_relaxed);
  do {
    if (now >= how.subscribers) {
      turned_away_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  } while (!readers_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  return true;
}

event_channel_stats event_log::stats() noexcept {
  event_channel_stats s;
  {
    std::lock_guard guard(lock_);
    s.published = last_;
  }
  s.subscribers = readers_.load(std::memory_order_relaxed);
  s.too_slow = too_slow_.load(std::memory_order_relaxed);
  s.turned_away = turned_away_.load(std::memory_order_relaxed);
  s.resumed = resumed_.load(std::memory_order_relaxed);
  s.resumed_too_late = resumed_too_late_.load(std::memory_order_relaxed);
  return s;
}

} // namespace greenroom::http::internal
