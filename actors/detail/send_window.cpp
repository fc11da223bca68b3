#include <greenroom/actors/detail/send_window.hpp>

#include <chrono>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/log.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::detail {

duration back_off::failed() noexcept {
  duration pause = pause_;
  for (std::uint32_t i = 0; i < failures_ && pause < most_; ++i) pause *= 2;
  ++failures_;
  return std::min(pause, most_);
}

void check_reliable(const std::string& sender, std::size_t window, std::size_t most_bytes, duration limit) {
  if (const auto named = check_sender(sender); !named)
    throw usage_error("reliable_options: " + std::string(named.error().message()));
  if (window == 0 || window > 65'536)
    throw usage_error(fmt::format("reliable_options: the window must be from 1 to 65536 items, not {}", window));
  if (most_bytes == 0 || limit <= duration::zero())
    throw usage_error("reliable_options: most_bytes and limit must be more than 0");
}

std::uint64_t new_epoch() {
  const auto now = this_actor::system().wall_now().time_since_epoch();
  const auto ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  return ms << 20 | random_seed() >> 44;
}

void note_repeat(const std::string& sender, std::uint64_t number, const error& why, duration pause) {
  const auto wait = show_duration(std::chrono::ceil<std::chrono::milliseconds>(pause));
  this_actor::system().log().warn("{}: item {} was not delivered, and is sent again in {}: {}", sender, number, wait,
                                  why.message());
}

void note_given_up(const std::string& sender, std::uint64_t number, const error& why) {
  this_actor::system().log().warn("{}: item {} is given up: {}", sender, number, why.message());
}

void note_forgotten(const std::string& sender) {
  this_actor::system().log().warn(
      "{}: the receiver has forgotten what it had; what was under way may have been handled twice", sender);
}

void note_superseded(const std::string& sender) {
  this_actor::system().log().error(
      "{}: another sender of this name lives beside this one: each ends the numbers of the other, so items of both may "
      "be handled twice; give each a name of its own, or end the one before the other begins",
      sender);
}

error stale_sender(const std::string& sender) {
  return {
      errc::already_exists,
      fmt::format("a later life of the sender '{}' was heard there: no two that live may have the same name", sender)};
}

error too_large(std::size_t bytes, std::size_t most) {
  return {
      errc::limit,
      fmt::format("the item is too large to be delivered: it takes {} bytes, and reliable_options::most_bytes is {}",
                  bytes, most)};
}

error lost_items(std::uint64_t count, const error& last) {
  return {errc::failed, fmt::format("{} item{} given up since the last flush, the last one because: {}", count,
                                    count == 1 ? " was" : "s were", last.message())};
}

} // namespace greenroom::detail
