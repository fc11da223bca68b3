// One connection between two nodes, whoever made it: CAF's wire over a stream of the transport, signs of life, and the end when there are
// none. What the parts mean is the user's matter.
// Thread safety: say() and end() any thread; the rest by run(). Lifetime: counted; run() keeps it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <greenroom/actors/internal/caf_wire.hpp>
#include <greenroom/actors/internal/node_parts.hpp>
#include <greenroom/actors/internal/noted_stream.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::internal {

/// What each node must take in a frame, so that what is not an item finds room in any case. Units: bytes.
inline constexpr std::size_t least_most_bytes = 64 * 1024;

struct link_settings {
  duration heartbeat;
  duration detection;
  std::size_t most_bytes; // of a frame
  duration stuck;         // how long a write may stand still
};

/// Returns the parts of a frame. Errors: parse, also for more parts than a link puts into one: a part may be a byte there and a hundred here.
result<node_frame> read_frame(const std::string& bytes);

/// Replies that wait to be sent. One who takes them slowly may not have more of them made than its windows are wide.
using unsent_count = std::atomic<std::uint32_t>;

/// Bytes that wait for what comes next. Thread safety: any thread; one actor waits.
class backlog {
public:
  backlog() : less_(bounded(1, overflow::drop_newest)), to_less_(less_.address()) {}
  void more(std::size_t bytes) noexcept { bytes_ += bytes; }
  void less(std::size_t bytes) noexcept {
    const auto before = bytes_.fetch_sub(bytes);
    if (before > most && before - bytes <= most) (void)to_less_.try_send(true);
  }
  bool full() const noexcept { return bytes_ > most; }
  /// Waits until it may be full no more.
  auto drained() const { return less_.receive(); }

private:
  // More than a frame or two of small items, so that both sides are busy; a single frame may be larger.
  static constexpr std::size_t most = 1024 * 1024;
  std::atomic<std::size_t> bytes_{0};
  mailbox<bool> less_; // a signal
  address<bool> to_less_;
};

/// Takes what the other node says; called by the link's actor.
class link_user {
public:
  virtual ~link_user();
  /// Parts may be said.
  virtual void up() = 0;
  /// Returns an error if the other side must not say that: the link ends then.
  virtual result<void> heard(node_part part) = 0;
};

class node_link final : public wire_host, public std::enable_shared_from_this<node_link> {
public:
  /// `seen`: of the bytes below, which are signs of life too; null: frames alone are.
  node_link(std::unique_ptr<stream> io, wire_role role, link_settings how,
            std::shared_ptr<const read_note> seen = nullptr);

  /// Runs the link until the connection or the other node is gone, and returns why. Waits: suspends the actor. Cancellation: closes it.
  static task<std::string> run(std::shared_ptr<node_link> self, link_user* user);

  /// Says a part; after the end nothing. Order: as called by one thread. Waits: never: the user bounds what is under way.
  void say(node_part part) { (void)to_say_.try_send({std::move(part), nullptr, 0}); }
  /// The same, of something that the other side has caused: it counts in `unsent` until it is on its way.
  void reply(node_part part, const std::shared_ptr<unsent_count>& unsent, std::uint32_t count = 1) {
    *unsent += count;
    (void)to_say_.try_send({std::move(part), unsent, count});
  }

  /// Notes what the other side has said of itself.
  void meet(const introduction& who);
  /// Returns how many bytes an item or an answer may have for the other side to take it. Units: bytes.
  std::size_t most_item() const noexcept;

  /// Ends the link for a reason of this side's.
  void end(std::string why) { (void)to_events_.try_send({event::is::end, std::move(why)}); }

private:
  struct said {
    node_part part;
    std::shared_ptr<unsent_count> unsent; // or null
    std::uint32_t count = 0;
  };
  struct event {
    enum class is : std::uint8_t { ready, frame, end } what = is::frame;
    std::string text; // the frame, or why it ends
  };

  void bytes_out(std::string_view bytes) noexcept override;
  void ready() noexcept override;
  void frame_in(std::string frame) noexcept override;
  void bytes_taken(std::size_t count) noexcept override;
  void closed(std::string why) noexcept override;

  static task<> read(std::shared_ptr<node_link> self);
  static task<> write(std::shared_ptr<node_link> self);
  static task<> send(std::shared_ptr<node_link> self);
  void end_if_stuck(time_point now);
  static task<> beat(std::shared_ptr<node_link> self);
  static task<std::string> live(scope& here, std::shared_ptr<node_link> self, link_user* user);
  static task<std::string> follow(scope& here, std::shared_ptr<node_link> self, link_user* user);
  static task<> close_wire(std::shared_ptr<node_link> self);

  const std::unique_ptr<stream> io_;
  const wire_role role_;
  const link_settings how_;
  const std::shared_ptr<const read_note> seen_;
  std::unique_ptr<caf_wire> wire_;
  // Unbounded: a broker cannot wait. What is under way is bounded by the windows of the streams.
  mailbox<std::string> bytes_;
  address<std::string> to_bytes_;
  mailbox<event> events_;
  address<event> to_events_;
  mailbox<said> parts_;
  address<said> to_say_;
  std::string why_; // written before events_ is closed
  // What came in and was not made use of. Full, and no more is read: so a sender feels it who sends faster than that.
  backlog behind_;
  // What CAF gave and was not written yet. Full, and no more frames are made.
  backlog unwritten_;
  std::atomic<duration> beat_every_;  // so that the other side does not take this one for down
  std::atomic<std::size_t> most_out_; // in a frame, as the other side takes it
  mailbox<bool> beat_now_;            // a signal: it is to be more often from now on
  address<bool> to_beat_now_;
  // Since when what is being written waits for the other side to take it; `never` if nothing does.
  std::atomic<time_point> writes_since_{never};
};

} // namespace greenroom::internal
