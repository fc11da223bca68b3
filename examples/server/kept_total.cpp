#include "kept_total.hpp"

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view first_word = "requests ";

} // namespace

result<kept_total> kept_total::open(files& disk, std::filesystem::path file) {
  if (file.empty()) return kept_total(disk, {}, 0);
  const auto content = disk.read_all(file);
  if (!content && !content.error().is(errc::not_found)) return content.error();
  std::uint64_t before = 0;
  if (content) {
    const std::string_view text(*content);
    const auto* const begin = text.data() + first_word.size();
    const auto* const end = text.data() + text.size();
    const bool well_formed = text.starts_with(first_word) && text.ends_with('\n');
    const auto read =
        well_formed ? std::from_chars(begin, end, before) : std::from_chars_result{end, std::errc::invalid_argument};
    if (read.ec != std::errc() || read.ptr != end - 1) {
      return error(errc::parse, "cannot use --db " + file.native() +
                                    ": it does not hold the number of requests; name another file, or remove it");
    }
  }
  kept_total total(disk, std::move(file), before);
  if (auto writable = total.save(0); !writable) return writable.error(); // now, not when the first second is over
  return total;
}

result<void> kept_total::save(std::uint64_t requests) const {
  if (!kept()) return {};
  return disk_->write_atomically(file_, std::string(first_word) + std::to_string(with(requests)) + "\n");
}

task<> keep_total(const kept_total* total, const http::server* front) {
  std::uint64_t saved = 0;
  for (ticker every(1s); total->kept();) {
    co_await every.tick();
    const auto now = front->stats().requests;
    if (now == saved) continue;
    const auto done = co_await blocking(&kept_total::save, total, now);
    if (done)
      saved = now;
    else
      this_actor::system().log().warn("{}", done.error().message()); // the next tick tries again
  }
}
