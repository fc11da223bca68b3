#include <greenroom/actors/outbox.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>

namespace greenroom {

result<std::vector<journal_record>> read_records::of(journal& log) const {
  const auto kept = log.cursor(reader);
  if (!kept) return kept.error();
  if (done > log.last())
    return error(errc::invalid_argument,
                 fmt::format("the reader '{}' says that it is done with record {}, but the last one is {}", reader,
                             done, log.last()));
  if (done > *kept) {
    if (auto moved = log.set_cursor(reader, done); !moved) return moved.error();
  }
  return log.behind(std::max(done, *kept), limit);
}

namespace detail {

duration outbox_pause(const outbox_options& how, std::uint32_t failures) noexcept {
  duration pause = how.pause;
  for (std::uint32_t i = 1; i < failures && pause < how.most_pause; ++i) pause *= 2;
  return std::min(pause, how.most_pause);
}

void note_failure(const outbox_options& how, const journal_record& r, const error& why, std::uint32_t failures) {
  if (failures == how.tries && how.given_up) return how.given_up(r, why);
  this_actor::system().log().warn("record {} was not delivered to '{}' ({}): {}", r.number, how.reader,
                                  failures == how.tries ? "given up" : "it is tried again", why.message());
}

void note_no_records(const outbox_options& how, const error& why) {
  this_actor::system().log().warn("the outbox '{}' gets no records, and asks again: {}", how.reader, why.message());
}

} // namespace detail
} // namespace greenroom
