#include <greenroom/actors/inbox.hpp>

#include <charconv>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom {

struct delivery_memory::known {
  struct place {
    std::uint64_t epoch;
    std::uint64_t done;
    std::list<std::string>::iterator heard;
  };

  const std::uint64_t name = random_seed() | 1; // not 0, as that of a journal is
  const std::size_t most;
  std::mutex lock;              // guards the following
  std::list<std::string> order; // the last that was heard first
  std::unordered_map<std::string, place> places;

  explicit known(std::size_t senders) : most(senders) {}
};

delivery_memory::delivery_memory(std::size_t senders) : known_(std::make_shared<known>(senders)) {
  if (senders == 0) throw usage_error("delivery_memory: it must remember one sender at least");
}

receipt delivery_memory::look(const std::string& sender, std::uint64_t epoch) {
  auto& k = *known_;
  const std::lock_guard guard(k.lock);
  auto found = k.places.find(sender);
  if (found == k.places.end()) {
    if (k.places.size() == k.most) {
      k.places.erase(k.order.back());
      k.order.pop_back();
    }
    k.order.push_front(sender);
    found = k.places.emplace(sender, known::place{epoch, 0, k.order.begin()}).first;
  } else {
    k.order.splice(k.order.begin(), k.order, found->second.heard);
  }
  auto& p = found->second;
  if (epoch > p.epoch) {
    p.epoch = epoch;
    p.done = 0;
  }
  return {k.name, p.epoch, p.done};
}

void delivery_memory::note(const std::string& sender, std::uint64_t epoch, std::uint64_t done) {
  auto& k = *known_;
  const std::lock_guard guard(k.lock);
  const auto found = k.places.find(sender);
  if (found != k.places.end() && found->second.epoch == epoch) found->second.done = done;
}

std::size_t delivery_memory::senders() const {
  const std::lock_guard guard(known_->lock);
  return known_->places.size();
}

namespace detail {
namespace {

/// Takes the number at the end of the text, and the space before it, off.
bool take_last_number(std::string_view& text, std::uint64_t& number) {
  const auto space = text.rfind(' ');
  if (space == std::string_view::npos) return false;
  const auto digits = text.substr(space + 1);
  const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  text = text.substr(0, space);
  return bad == std::errc() && end == digits.data() + digits.size();
}

} // namespace

time_point answer_by(time_point deadline) {
  if (deadline == never) return never;
  const auto now = this_actor::system().now();
  return now + (deadline - now) / 2;
}

void refuse(receipt& made, const error& why) {
  made.refused = static_cast<std::uint16_t>(why.code());
  made.why = std::string(why.message());
}

result<journaled_place> journaled_place::of(journal& log, const std::string& sender, std::uint64_t epoch) {
  if (auto named = check_sender(sender); !named) return named.error();
  journaled_place at;
  at.sender_ = "from " + sender;
  at.made.epoch = epoch;
  const auto record = log.cursor(at.sender_);
  if (!record) return record.error();
  if (*record == 0) return at;
  const auto last = log.read(*record);
  if (!last) return last.error();
  std::uint64_t its_epoch = 0;
  std::uint64_t number = 0;
  std::string_view key = *last ? std::string_view((**last).key) : std::string_view();
  if (!take_last_number(key, number) || !take_last_number(key, its_epoch) || key != at.sender_)
    return error(errc::parse, fmt::format("the reader '{}' is at record {}, which is none of a delivery of that sender",
                                          at.sender_, *record));
  if (its_epoch < epoch) return at;
  at.made.epoch = its_epoch;
  at.made.done = number;
  return at;
}

std::string journaled_place::key(std::uint64_t number) const {
  return fmt::format("{} {} {}", sender_, made.epoch, number);
}

void journaled_place::move(journal& log, std::uint64_t number, std::uint64_t record) {
  made.done = number;
  if (const auto moved = log.set_cursor(sender_, record); !moved) throw bad_result(moved.error());
}

} // namespace detail
} // namespace greenroom
