#include <greenroom/http/internal/token_buckets.hpp>

namespace greenroom::http::internal {

token_buckets::bucket& token_buckets::find(part& in, std::string_view key, time_point now) {
  const auto it = in.by_key.find(key);
  if (it != in.by_key.end()) {
    in.by_use.splice(in.by_use.begin(), in.by_use, it->second.place);
    return it->second;
  }
  if (in.by_key.size() >= keys_of_part_) {
    in.by_key.erase(in.by_key.find(in.by_use.back()));
    in.by_use.pop_back();
  }
  in.by_use.emplace_front();
  try {
    const auto made = in.by_key.emplace(key, bucket{now, in.by_use.begin()}).first;
    in.by_use.front() = made->first;
    return made->second;
  } catch (...) { // out of memory
    in.by_use.pop_front();
    throw;
  }
}

token_buckets::outcome token_buckets::take(std::string_view key, time_point now) {
  auto& in = parts_[std::hash<std::string_view>()(key) % parts];
  std::lock_guard guard(in.lock);
  auto& found = find(in, key, now);
  outcome o;
  o.wait = rate_.wait(found.full_at, now);
  o.taken = o.wait == duration::zero();
  if (o.taken) rate_.take(found.full_at, now);
  o.full_in = rate_.full_in(found.full_at, now);
  o.left = rate_.left(found.full_at, now);
  return o;
}

std::size_t token_buckets::size() const {
  std::size_t n = 0;
  for (const auto& each : parts_) {
    std::lock_guard guard(each.lock);
    n += each.by_key.size();
  }
  return n;
}

} // namespace greenroom::http::internal
