// What a sender keeps until it is acknowledged, and what it does about receipts and failures. It waits for nothing and sends nothing.
// Thread safety: owner only, but for the counts. Lifetime: the options outlive it.
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/detail/wire_writer.hpp>
#include <greenroom/actors/reliable_options.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::detail {

/// One item on its way to the sender's actor.
template <class T>
struct hand_over {
  T item;
  std::size_t bytes = 0;
  using reply = void; // when it is acknowledged, or given up
};

/// Answered when all before it is dealt with.
struct flush_order {
  using reply = void;
};

/// Thread safety: any thread.
struct reliable_counts {
  std::atomic<std::uint64_t> taken{0}, acknowledged{0}, given_up{0}, deliveries{0}, failures{0}, forgotten{0},
      superseded{0};
};

/// Returns how much room an item takes on the wire; a guess for what cannot cross.
template <class T>
std::size_t wire_size(const T& item) {
  if constexpr (wire_inspected<wire_writer, T> || std::same_as<T, std::string>) {
    std::string bytes;
    wire_writer walk(bytes);
    visit_wire(walk, const_cast<T&>(item)); // NOLINT(cppcoreguidelines-pro-type-const-cast): a writer only reads
    return bytes.size();
  } else {
    return sizeof(T);
  }
}

/// A failure as the window sees it: what to tell the log, and how long to wait.
class GREENROOM_EXPORT back_off {
public:
  back_off(duration pause, duration most) noexcept : pause_(pause), most_(most) {}
  /// Returns the pause behind one failure more.
  duration failed() noexcept;
  void worked() noexcept { failures_ = 0; }
  std::uint32_t failures() const noexcept { return failures_; }

private:
  duration pause_, most_;
  std::uint32_t failures_ = 0;
};

GREENROOM_EXPORT void check_reliable(const std::string& sender, std::size_t window, std::size_t most_bytes,
                                     duration limit);
/// A number that is greater in each life: the time, with something random behind it.
GREENROOM_EXPORT std::uint64_t new_epoch();
GREENROOM_EXPORT void note_repeat(const std::string& sender, std::uint64_t number, const error& why, duration pause);
GREENROOM_EXPORT void note_given_up(const std::string& sender, std::uint64_t number, const error& why);
GREENROOM_EXPORT void note_forgotten(const std::string& sender);
GREENROOM_EXPORT void note_superseded(const std::string& sender);
GREENROOM_EXPORT error stale_sender(const std::string& sender);
GREENROOM_EXPORT error too_large(std::size_t bytes, std::size_t most);
GREENROOM_EXPORT error lost_items(std::uint64_t count, const error& last);

template <class T>
class send_window {
public:
  /// A fixed epoch is that of numbers which outlive the sender; 0: its numbers are its own.
  send_window(const reliable_options<T>& how, std::shared_ptr<reliable_counts> counts, std::uint64_t fixed_epoch = 0)
      : how_(how),
        counts_(std::move(counts)),
        fixed_(fixed_epoch != 0),
        epoch_(fixed_ ? fixed_epoch : new_epoch()),
        pause_(how.pause, how.most_pause) {}

  bool empty() const noexcept { return kept_.empty(); }
  bool full() const noexcept { return kept_.size() >= how_.window; }

  void keep(hand_over<T>&& what) { keep(std::move(what.item), what.bytes, last_ + 1, std::nullopt); }
  void keep(request<hand_over<T>>&& what) {
    auto item = std::move(what.message.item);
    const auto bytes = what.message.bytes;
    keep(std::move(item), bytes, last_ + 1, std::move(what));
  }
  void keep(T item, std::size_t bytes, std::uint64_t number, std::optional<request<hand_over<T>>> asker) {
    kept_.push_back({number, std::move(item), bytes, std::move(asker)});
    last_ = number;
    ++counts_->taken;
  }
  void keep(request<flush_order>&& what) {
    flushes_.push_back({last_, std::move(what)});
    answer_flushes();
  }

  /// Returns what to send: all that is kept, or as much as the limits allow. Requires: there is something.
  delivery<T> next() const {
    delivery<T> d;
    d.sender = how_.sender;
    d.epoch = epoch_;
    std::size_t bytes = 0;
    for (const auto& k : kept_) {
      bytes += k.bytes + sizeof(std::uint64_t);
      if (!d.items.empty() && (bytes > how_.most_bytes || d.items.size() == how_.window)) break;
      d.items.push_back({k.number, k.item});
    }
    ++counts_->deliveries;
    return d;
  }

  /// Takes what came of a delivery; returns how long to wait before the next.
  duration heard(const result<receipt>& got) {
    if (!got) return failed(got.error());
    if (got->memory != 0 && std::exchange(memory_, got->memory) != got->memory && known_) {
      ++counts_->forgotten;
      note_forgotten(how_.sender);
      heard_ = false;
    }
    known_ = true;
    if (got->epoch != epoch_) {
      // Of an earlier life of ours, by a clock that was set back, or of one beside us: our numbers are over, and nothing of this delivery was taken.
      if (std::exchange(heard_, false) && ++counts_->superseded == 1) note_superseded(how_.sender);
      if (!fixed_) epoch_ = got->epoch + 1;
      return failed(stale_sender(how_.sender));
    }
    heard_ = true;
    const bool moved = drop_acknowledged(got->done);
    if (moved) {
      pause_.worked();
      refusals_ = 0;
    }
    if (got->refused != 0 && !kept_.empty()) return refused({errc{got->refused}, got->why});
    if (moved) return duration::zero();
    return failed({errc::unavailable, "the receiver has taken nothing of it"});
  }

  /// Nobody can be reached any more.
  void give_up_all(const error& why) {
    while (!kept_.empty()) give_up_first(why);
  }

private:
  struct kept_item {
    std::uint64_t number;
    T item;
    std::size_t bytes;
    std::optional<request<hand_over<T>>> asker;
  };
  struct flush {
    std::uint64_t behind; // the last number before it
    request<flush_order> asker;
  };

  bool drop_acknowledged(std::uint64_t done) {
    bool any = false;
    for (; !kept_.empty() && kept_.front().number <= done; any = true) {
      if (auto& asker = kept_.front().asker) asker->reply();
      kept_.pop_front();
      ++counts_->acknowledged;
    }
    answer_flushes();
    return any;
  }

  duration failed(const error& why) {
    ++counts_->failures;
    const auto pause = pause_.failed();
    note_repeat(how_.sender, kept_.front().number, why, pause);
    return pause;
  }

  duration refused(const error& why) {
    if (++refusals_ != how_.tries) return failed(why);
    give_up_first(why);
    pause_.worked();
    return duration::zero();
  }

  void give_up_first(const error& why) {
    auto first = std::move(kept_.front());
    kept_.pop_front();
    refusals_ = 0;
    ++counts_->given_up;
    ++lost_;
    last_lost_ = why;
    if (first.asker) first.asker->fail(why);
    if (how_.given_up) {
      how_.given_up(first.item, why);
    } else {
      note_given_up(how_.sender, first.number, why);
    }
    answer_flushes();
  }

  void answer_flushes() {
    while (!flushes_.empty() && (kept_.empty() || kept_.front().number > flushes_.front().behind)) {
      if (lost_ == 0) {
        flushes_.front().asker.reply();
      } else {
        flushes_.front().asker.fail(lost_items(std::exchange(lost_, 0), last_lost_));
      }
      flushes_.pop_front();
    }
  }

  const reliable_options<T>& how_;
  const std::shared_ptr<reliable_counts> counts_;
  const bool fixed_;
  std::uint64_t epoch_;
  std::uint64_t last_ = 0; // the number given last
  std::deque<kept_item> kept_;
  std::deque<flush> flushes_;
  back_off pause_;
  std::uint32_t refusals_ = 0; // of the first item that is kept
  std::uint64_t lost_ = 0;     // given up since the last flush
  error last_lost_ = errc::failed;
  std::uint64_t memory_ = 0; // of the receiver
  bool known_ = false;
  bool heard_ = false; // it went by our epoch: a later one is not of an earlier life
};

/// The way to the receiver: an address as long as it works.
template <class T>
class delivery_line {
public:
  delivery_line(route<T> where, duration limit) : where_(std::move(where)), limit_(limit) {}

  static task<result<receipt>> send(delivery_line* self, delivery<T> d) {
    if (!self->to_) {
      auto finding = self->where_.find();
      auto found = co_await std::move(finding);
      if (!found) co_return found.error();
      self->to_ = *std::move(found);
    }
    auto got = co_await ask(self->to_, std::move(d), self->limit_);
    if (!got) self->to_ = {};
    if (!got && got.error().is(errc::closed)) // whether for ever, the route knows
      co_return error(errc::unavailable, std::string(got.error().message()));
    co_return got;
  }

private:
  route<T> where_;
  duration limit_;
  address<request<delivery<T>>> to_;
};

/// Sends what the window keeps once, and waits as long as is wise. Errors: closed, when nobody can be reached any more.
template <class T>
task<result<void>> send_once(send_window<T>* window, delivery_line<T>* line) {
  auto sending = delivery_line<T>::send(line, window->next());
  const auto got = co_await std::move(sending);
  if (!got && got.error().is(errc::closed)) co_return got.error();
  const auto pause = window->heard(got);
  if (pause > duration::zero()) co_await sleep_for(pause);
  co_return result<void>();
}

} // namespace greenroom::detail
