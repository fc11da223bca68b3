#include <greenroom/http/internal/answer_store.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace greenroom::http::internal {
namespace {

// What an entry takes beside its texts: nodes of tree and list, the objects. Units: bytes.
constexpr std::size_t overhead = 400;

std::size_t bytes_of(const std::string& key, const response& r) noexcept {
  return overhead + key.size() + r.header_lines().size() + r.body().size();
}

/// A bijection that scatters. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, as in splitmix64.
constexpr std::uint64_t scattered(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

} // namespace

// -- fingerprints -----------------------------------------------------------------------------------------

void fingerprint::mix(std::uint64_t word) noexcept {
  a_ = scattered(a_ + word);
  b_ = scattered(b_ ^ (word * 0x9e3779b97f4a7c15)) + a_;
}

void fingerprint::add(std::string_view text) noexcept {
  mix(text.size());
  while (!text.empty()) {
    std::uint64_t word = 0;
    const auto part = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), part);
    mix(word);
    text.remove_prefix(part);
  }
}

// -- answers ----------------------------------------------------------------------------------------------

answer_store::~answer_store() = default;

/// Takes the oldest answer out; its memory is freed without the lock.
void answer_store::forget_oldest_locked(std::vector<table::node_type>& gone) {
  const auto oldest = answered_.front();
  gone.reserve(gone.size() + 1); // before anything changes
  bytes_ -= oldest->second.bytes;
  answered_.pop_front();
  gone.push_back(entries_.extract(oldest));
}

answer_store::found answer_store::take(const std::string& key, const fingerprint& of, time_point now) {
  std::vector<table::node_type> gone;
  std::lock_guard guard(lock_);
  while (!answered_.empty() && now - answered_.front()->second.kept_at > most_.age) forget_oldest_locked(gone);
  const auto [it, fresh] = entries_.try_emplace(key);
  auto& found_entry = it->second;
  if (fresh) {
    found_entry.of = of;
    return {state::taken, nullptr};
  }
  if (found_entry.of != of) return {state::mistaken, nullptr};
  if (!found_entry.answer) return {state::under_way, nullptr};
  return {state::answered, found_entry.answer};
}

void answer_store::keep(const std::string& key, const response& answer, time_point now) {
  const auto size = bytes_of(key, answer);
  if (size > most_.bytes / 16) return free(key);
  auto copy = std::make_shared<const response>(answer); // without the lock
  std::vector<table::node_type> gone;
  std::lock_guard guard(lock_);
  const auto it = entries_.find(key);
  while (!answered_.empty() && (answered_.size() >= most_.answers || bytes_ + size > most_.bytes))
    forget_oldest_locked(gone);
  it->second.place = answered_.insert(answered_.end(), it);
  it->second.answer = std::move(copy);
  it->second.kept_at = now;
  it->second.bytes = size;
  bytes_ += size;
}

void answer_store::free(const std::string& key) noexcept {
  table::node_type gone; // freed without the lock
  std::lock_guard guard(lock_);
  const auto it = entries_.find(key);
  if (it != entries_.end()) gone = entries_.extract(it);
}

std::size_t answer_store::keys() const {
  std::lock_guard guard(lock_);
  return entries_.size();
}

std::size_t answer_store::bytes() const {
  std::lock_guard guard(lock_);
  return bytes_;
}

} // namespace greenroom::http::internal
