#include <greenroom/testkit/internal/fault_source.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::testkit::internal {
namespace {

// The grid of the timers: a moment between two of its points would lie before or behind a timer as the clock's start has it.
constexpr auto grid = std::chrono::nanoseconds(std::int64_t{1} << 16);

/// Steele, Lea and Flood's splitmix64: near numbers give unrelated ones.
std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t hash_of(const std::string& text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

const char* verb_of(disk_call call) noexcept {
  return call == disk_call::read ? "a read of" : call == disk_call::write ? "a write of" : "a sync of";
}

} // namespace

fault_source::fault_source(fault_plan plan) : plan_(std::move(plan)) {
  if (const auto right = plan_.check(); !right) throw usage_error(std::string(right.error().message()));
}

void fault_source::begin(std::uint64_t seed, time_point now) {
  std::lock_guard guard(mutex_);
  seed_ = seed;
  running_ = true;
  step_ = 0;
  now_ = now;
  connections_ = 0;
  crashes_ = 0;
  calls_.clear();
  happened_.clear();
}

std::vector<std::string> fault_source::end() {
  std::lock_guard guard(mutex_);
  running_ = false;
  return std::exchange(happened_, {});
}

void fault_source::set_time(std::uint64_t step, time_point now) noexcept {
  std::lock_guard guard(mutex_);
  step_ = step;
  now_ = now;
}
time_point fault_source::now() {
  std::lock_guard guard(mutex_);
  return now_;
}

time_point fault_source::next_moment() {
  std::lock_guard guard(mutex_);
  while (!moments_.empty() && moments_.begin()->second.expired()) moments_.erase(moments_.begin());
  return moments_.empty() ? never : moments_.begin()->first;
}

void fault_source::pass(time_point now) {
  std::vector<std::weak_ptr<has_moments>> due;
  {
    std::lock_guard guard(mutex_);
    now_ = now;
    const auto end = moments_.upper_bound(now);
    for (auto at = moments_.begin(); at != end; ++at) due.push_back(std::move(at->second));
    moments_.erase(moments_.begin(), end);
  }
  for (const auto& each : due) {
    if (const auto who = each.lock()) who->moment_came();
  }
}

void fault_source::call_at(time_point when, std::weak_ptr<has_moments> who) {
  std::lock_guard guard(mutex_);
  moments_.emplace(when, std::move(who));
}

std::uint64_t fault_source::bits(draw what, std::uint64_t place, std::uint64_t more) const noexcept {
  return mixed(mixed(mixed(mixed(seed_) + static_cast<std::uint64_t>(what)) + place) + more);
}

std::uint64_t fault_source::number(draw what, std::uint64_t place, std::uint64_t below, std::uint64_t more) {
  std::lock_guard guard(mutex_);
  xoshiro random(bits(what, place, more));
  return random.below(below);
}

bool fault_source::happens(draw what, double probability, std::uint64_t place, std::uint64_t more) {
  if (probability <= 0) return false;
  std::lock_guard guard(mutex_);
  // 53 bits: as many as a double holds.
  return running_ && static_cast<double>(bits(what, place, more) >> 11) * 0x1p-53 < probability;
}

time_point fault_source::later(draw what, duration longest, std::uint64_t place, std::uint64_t more) {
  const auto points = static_cast<std::uint64_t>(longest / grid);
  const auto chosen = number(what, place, points + 1, more);
  return saturating_add(now(), grid * static_cast<std::int64_t>(chosen));
}

std::uint64_t fault_source::next_connection() {
  std::lock_guard guard(mutex_);
  return ++connections_;
}

void fault_source::note(const std::string& sentence) {
  std::lock_guard guard(mutex_);
  if (running_) happened_.push_back(fmt::format("step {}: {}", step_, sentence));
}

bool fault_source::wants_crash() {
  std::uint64_t step = 0;
  {
    std::lock_guard guard(mutex_);
    if (crashes_ >= plan_.crashes.at_most) return false;
    step = step_;
  }
  return happens(draw::crash, plan_.crashes.probability, step);
}

std::uint64_t fault_source::pick_victim(std::uint64_t n) {
  std::uint64_t place = 0;
  {
    std::lock_guard guard(mutex_);
    place = crashes_;
  }
  return number(draw::victim, place, n);
}

void fault_source::note_crash(const std::string& sentence) {
  note(sentence);
  std::lock_guard guard(mutex_);
  ++crashes_;
}

bool fault_source::disk_fails(memory_files& disk, disk_call call, const std::string& path) {
  std::uint64_t count = 0;
  {
    std::lock_guard guard(mutex_);
    if (!running_) return false;
    count = ++calls_[{call, path}];
  }
  const auto& odds = plan_.disk;
  const auto place = hash_of(path) + static_cast<std::uint64_t>(call);
  if (happens(draw::power_cut, odds.power_cut, place, count)) {
    xoshiro random(number(draw::lost_bytes, place, ~std::uint64_t{0}, count));
    disk.cut_power(random);
    note(fmt::format("the disk lost its power before {} {}", verb_of(call), path));
  }
  const auto kind = call == disk_call::read ? draw::read : call == disk_call::write ? draw::write : draw::sync;
  const auto odd = call == disk_call::read ? odds.read : call == disk_call::write ? odds.write : odds.sync;
  if (!happens(kind, odd, place, count)) return false;
  note(fmt::format("{} {} failed", verb_of(call), path));
  return true;
}

bool touches_connections(const network_faults& plan) noexcept {
  return plan.refused > 0 || plan.reset > 0 || plan.silent > 0 || plan.delayed > 0 || plan.slow > 0;
}

bool touches_disk(const disk_faults& plan) noexcept {
  return plan.read > 0 || plan.write > 0 || plan.sync > 0 || plan.power_cut > 0;
}

} // namespace greenroom::testkit::internal
