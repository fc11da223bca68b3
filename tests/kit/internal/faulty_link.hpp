// faulty_link: one connection of a faulty_network, both ends. The streams within carry the bytes; the link knows how many are on their
// way in each direction, how many of these may be read by now, and when it breaks.
// Lock order: an end's lock, then the link's mutex, then those of the inner streams and of the fault_source. Nobody is woken
// under the mutex.
// Thread safety: as stream. Lifetime: shared by its two streams.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <greenroom/runtime/transport.hpp>
#include <greenroom/testkit/internal/fault_source.hpp>

namespace greenroom::testkit::internal {

/// When a connection breaks or goes silent: at a time, or when so many bytes were read, or written, in both directions together.
struct breaking_point {
  enum class counted : std::uint8_t { time, reads, writes };
  counted by = counted::time;
  std::uint64_t byte = 0;
  time_point when = never;
};

class faulty_link final : public has_moments, public std::enable_shared_from_this<faulty_link> {
public:
  /// Bytes that are on their way in each direction at most.
  static constexpr std::size_t capacity = 65'536;

  class end final : public greenroom::detail::readiness_source {
  public:
    bool ready_or_watch_locked(greenroom::detail::io_side side) override { return owner->ready(index, side); }
    faulty_link* owner = nullptr; // constant
    std::size_t index = 0;
  };

  /// Draws what will happen to connection `number`. `to` is for people.
  faulty_link(std::shared_ptr<fault_source> faults, std::uint64_t number, const std::string& to);
  /// Takes the client's end, and asks for the moments. Once, before all else.
  void start(std::unique_ptr<stream> client);
  /// Takes the end of who accepts.
  void accepted(std::unique_ptr<stream> server);
  /// The listener has closed before it accepted this one.
  void turned_away();

  result<std::size_t> try_read(std::size_t at, std::span<std::byte> into);
  result<std::size_t> try_write(std::size_t at, std::span<const std::byte> bytes);
  void shutdown_send(std::size_t at) noexcept;
  void close(std::size_t at) noexcept;
  std::string peer(std::size_t at);

  void moment_came() override;

  std::array<end, 2> ends;

private:
  /// Bytes on their way in one direction. Flow i is what end i reads.
  struct flow {
    std::uint64_t written = 0;
    std::uint64_t arrived = 0; // so many may be read
    std::uint64_t read = 0;
    std::deque<std::pair<std::uint64_t, time_point>> on_the_way; // up to where, and when: not before those in front
    bool ended = false;                                          // nothing follows
    std::uint64_t swallowed = 0;
  };

  bool ready(std::size_t at, greenroom::detail::io_side side);
  void wake_all() noexcept;
  breaking_point draw_point(std::uint64_t salt);
  void reset_locked();
  void go_silent_locked();
  void count_locked(breaking_point::counted what, std::uint64_t bytes);
  bool break_if_due_locked();
  std::size_t most_now_locked(breaking_point::counted what, std::size_t at, std::uint64_t position, std::size_t wanted);
  void settle_locked(flow& in);
  static bool at_the_end_locked(const flow& in);
  void send_off_locked(std::size_t to, std::uint64_t bytes);
  error closed_here_locked(const char* what, std::size_t at);

  const std::shared_ptr<fault_source> faults_;
  const std::uint64_t number_;
  const std::string name_;
  bool is_slow_ = false; // constant, as the next one
  bool is_delayed_ = false;

  std::mutex mutex_; // guards all that follows
  std::array<std::unique_ptr<stream>, 2> inner_;
  std::array<flow, 2> flows_;
  std::array<bool, 2> closed_{};
  std::array<std::uint64_t, 3> counts_{};  // of bytes, by breaking_point::counted
  std::optional<breaking_point> reset_at_; // none: it does not happen, or is over
  std::optional<breaking_point> silent_at_;
  bool broken_ = false; // never taken back
  bool silent_ = false; // never taken back
};

} // namespace greenroom::testkit::internal
