#include <greenroom/testkit/internal/faulty_link.hpp>

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/memory_transport.hpp>

namespace greenroom::testkit::internal {

using greenroom::detail::io_side;
using counted = breaking_point::counted;

faulty_link::faulty_link(std::shared_ptr<fault_source> faults, std::uint64_t number, const std::string& to)
    : faults_(std::move(faults)), number_(number), name_(fmt::format("connection {} to {}", number, to)) {
  for (std::size_t i = 0; i < 2; ++i) ends[i].owner = this, ends[i].index = i;
  const auto& odds = faults_->plan().network;
  is_slow_ = faults_->happens(draw::slow, odds.slow, number);
  is_delayed_ = faults_->happens(draw::delayed, odds.delayed, number);
  if (is_slow_) faults_->note(fmt::format("{} is slow: at most {} byte(s) in a call", name_, odds.most_bytes));
  if (is_delayed_) {
    const auto longest = std::chrono::duration_cast<std::chrono::microseconds>(odds.longest_delay);
    faults_->note(fmt::format("{} is delayed, by at most {} us", name_, longest.count()));
  }
  if (faults_->happens(draw::reset, odds.reset, number)) reset_at_ = draw_point(0);
  if (faults_->happens(draw::silent, odds.silent, number)) silent_at_ = draw_point(1);
}

breaking_point faulty_link::draw_point(std::uint64_t salt) {
  const auto& odds = faults_->plan().network;
  const auto kind = faults_->number(draw::moment_kind, number_, 4, salt);
  breaking_point at;
  if (kind < 2) {
    at.when = faults_->later(draw::moment, odds.latest_time, number_, salt);
    return at;
  }
  at.by = kind == 2 ? counted::reads : counted::writes;
  const auto digits = static_cast<std::uint64_t>(std::bit_width(odds.latest_byte));
  const auto bound =
      std::uint64_t{1} << std::min<std::uint64_t>(faults_->number(draw::amount, number_, digits + 1, salt), 63);
  at.byte = std::min<std::uint64_t>(faults_->number(draw::moment, number_, bound, salt), odds.latest_byte);
  return at;
}

void faulty_link::start(std::unique_ptr<stream> client) {
  {
    std::lock_guard guard(mutex_);
    inner_[0] = std::move(client);
  }
  for (const auto& at : {reset_at_, silent_at_}) {
    if (at && at->by == counted::time) faults_->call_at(at->when, weak_from_this());
  }
}

void faulty_link::accepted(std::unique_ptr<stream> server) {
  std::lock_guard guard(mutex_);
  inner_[1] = std::move(server);
}

void faulty_link::turned_away() {
  {
    std::lock_guard guard(mutex_);
    broken_ = true;
  }
  wake_all();
}

void faulty_link::wake_all() noexcept {
  for (auto& each : ends) each.wake();
}

// -- when it breaks -----------------------------------------------------------------------------------------

void faulty_link::reset_locked() {
  if (std::exchange(broken_, true)) return;
  memory_transport::reset(*inner_[0]);
  if (!silent_) faults_->note(name_ + " reset");
}

void faulty_link::go_silent_locked() {
  if (std::exchange(silent_, true)) return;
  for (auto& each : flows_) each.on_the_way.clear();
  if (!broken_) faults_->note(name_ + " went silent");
}

void faulty_link::count_locked(counted what, std::uint64_t bytes) { counts_[static_cast<std::size_t>(what)] += bytes; }

/// Breaks the connection if its point has come; true if it did.
bool faulty_link::break_if_due_locked() {
  if (broken_ || (closed_[0] && closed_[1])) return false;
  const auto is_due = [this](std::optional<breaking_point>& at) {
    if (!at) return false;
    const bool due =
        at->by == counted::time ? at->when <= faults_->now() : counts_[static_cast<std::size_t>(at->by)] >= at->byte;
    if (due) at.reset();
    return due;
  };
  const bool resets = is_due(reset_at_);
  const bool silences = is_due(silent_at_);
  if (resets && !silent_) reset_locked();
  if (silences && !broken_) go_silent_locked();
  return resets || silences;
}

/// How many bytes a call may move from this position of its flow, so that it stops where the connection breaks.
std::size_t faulty_link::most_now_locked(counted what, std::size_t at, std::uint64_t position, std::size_t wanted) {
  if (is_slow_) {
    const auto salt = position * 4 + at * 2 + (what == counted::reads ? 1 : 0);
    const auto few = faults_->number(draw::slow, number_, faults_->plan().network.most_bytes, salt + 1) + 1;
    wanted = std::min<std::uint64_t>(wanted, few);
  }
  for (const auto& point : {reset_at_, silent_at_}) {
    if (!point || point->by != what) continue;
    wanted = std::min<std::uint64_t>(wanted, point->byte - counts_[static_cast<std::size_t>(what)]);
  }
  return wanted;
}

void faulty_link::moment_came() {
  {
    std::lock_guard guard(mutex_);
    break_if_due_locked();
  }
  wake_all();
}

// -- bytes on their way -------------------------------------------------------------------------------------

void faulty_link::settle_locked(flow& in) {
  const auto now = faults_->now();
  while (!in.on_the_way.empty() && in.on_the_way.front().second <= now) {
    in.arrived = in.on_the_way.front().first;
    in.on_the_way.pop_front();
  }
}

/// Whether all has come, the end included. Requires: settle_locked() was called.
bool faulty_link::at_the_end_locked(const flow& in) { return in.ended && in.arrived == in.written; }

void faulty_link::send_off_locked(std::size_t to, std::uint64_t bytes) {
  auto& out = flows_[to];
  const auto position = out.written;
  out.written += bytes;
  if (!is_delayed_) {
    out.arrived = out.written;
    return;
  }
  const auto when = faults_->later(draw::delay, faults_->plan().network.longest_delay, number_, position * 2 + to);
  out.on_the_way.emplace_back(out.written, when);
  faults_->call_at(when, weak_from_this());
}

bool faulty_link::ready(std::size_t at, io_side side) {
  std::lock_guard guard(mutex_);
  if (closed_[at]) return true;
  auto& in = flows_[at];
  const auto& out = flows_[1 - at];
  settle_locked(in);
  if (side == io_side::reading && in.arrived > in.read) return true;
  if (silent_) return side == io_side::writing && out.swallowed < capacity;
  if (broken_) return true;
  if (side == io_side::reading) return at_the_end_locked(in);
  return out.written - out.read < capacity || out.ended || closed_[1 - at];
}

error faulty_link::closed_here_locked(const char* what, std::size_t at) {
  return {errc::closed, fmt::format("cannot {}: {}: it was closed on this side", what, inner_[at]->peer())};
}

// -- calls --------------------------------------------------------------------------------------------------

result<std::size_t> faulty_link::try_read(std::size_t at, std::span<std::byte> into) {
  result<std::size_t> got = errc::empty;
  bool breaks = false;
  {
    std::lock_guard guard(mutex_);
    if (closed_[at]) return closed_here_locked("read from", at);
    breaks = break_if_due_locked();
    auto& in = flows_[at];
    settle_locked(in);
    const auto there = in.arrived - in.read;
    if (broken_ && !silent_) {
      got = inner_[at]->try_read(into);
    } else if (there != 0) {
      const auto wanted = std::min<std::uint64_t>(into.size(), there);
      got = inner_[at]->try_read(into.first(most_now_locked(counted::reads, at, in.read, wanted)));
      if (got) in.read += *got, count_locked(counted::reads, *got);
      breaks |= break_if_due_locked();
    } else if (!silent_ && at_the_end_locked(in)) {
      got = std::size_t{0};
    }
  }
  if (breaks) wake_all();
  if (got && *got != 0) ends[1 - at].wake(io_side::writing); // without progress: each would wake the other for ever
  return got;
}

result<std::size_t> faulty_link::try_write(std::size_t at, std::span<const std::byte> bytes) {
  result<std::size_t> put = errc::full;
  bool breaks = false;
  {
    std::lock_guard guard(mutex_);
    if (closed_[at]) return closed_here_locked("write to", at);
    breaks = break_if_due_locked();
    auto& out = flows_[1 - at];
    if (silent_) {
      const auto n = std::min<std::uint64_t>(bytes.size(), capacity - out.swallowed);
      out.swallowed += n;
      if (n != 0 || bytes.empty()) put = static_cast<std::size_t>(n);
    } else {
      const auto n = broken_ ? bytes.size() : most_now_locked(counted::writes, at, out.written, bytes.size());
      put = inner_[at]->try_write(bytes.first(n));
      if (put && *put != 0) {
        send_off_locked(1 - at, *put);
        count_locked(counted::writes, *put);
        breaks |= break_if_due_locked();
      }
    }
  }
  if (breaks) wake_all();
  if (put && *put != 0) ends[1 - at].wake(io_side::reading);
  return put;
}

void faulty_link::shutdown_send(std::size_t at) noexcept {
  {
    std::lock_guard guard(mutex_);
    if (closed_[at] || silent_) return;
    inner_[at]->shutdown_send();
    flows_[1 - at].ended = true;
  }
  wake_all();
}

void faulty_link::close(std::size_t at) noexcept {
  {
    std::lock_guard guard(mutex_);
    if (std::exchange(closed_[at], true)) return;
    if (!silent_) { // otherwise the peer learns nothing of it; the streams within end with the link
      inner_[at]->close();
      flows_[1 - at].ended = true;
      if (flows_[at].written != flows_[at].read) broken_ = true; // as TCP: what was left unread resets the connection
    }
  }
  wake_all();
}

std::string faulty_link::peer(std::size_t at) {
  std::lock_guard guard(mutex_);
  return inner_[at]->peer();
}

} // namespace greenroom::testkit::internal
