// One end of a link between two nodes, as CAF sees it: a CAF system whose BASP broker talks over bytes that somebody else carries. Frames
// are messages between two CAF actors, one at each end. Each link has a system of its own: CAF takes a second connection from a node that
// it knows for a mistake, and does not let go of the first one before TCP does.
// Thread safety: any thread. What is called runs CAF's brokers, and so its host's functions, on this thread, or on another one that is about it already. Lifetime: its
// end waits for CAF's threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace greenroom::internal {

/// Who carries the bytes, and takes the frames. Called by one thread at a time, which uses the wire: neither waits nor throws.
class wire_host {
public:
  virtual ~wire_host();
  /// Bytes for the other end, to be delivered in order.
  virtual void bytes_out(std::string_view bytes) noexcept = 0;
  /// The other end is there: frames may be sent.
  virtual void ready() noexcept = 0;
  virtual void frame_in(std::string frame) noexcept = 0;
  /// So many of the bytes that came in were looked at.
  virtual void bytes_taken(std::size_t count) noexcept = 0;
  /// The other end has gone, or does not speak the protocol. Called once at most, and nothing after it.
  virtual void closed(std::string why) noexcept = 0;
};

/// Which end opens the protocol. One of each.
enum class wire_role : std::uint8_t { serves, connects };

class caf_wire {
public:
  /// Returns whether this build can: it takes CAF's io module.
  static bool is_built() noexcept;
  /// A message that the other end announces with more than `most_bytes` ends the wire before any of it is taken: BASP itself would make room
  /// for whatever is announced. Lifetime: `host` until the wire's end.
  caf_wire(wire_role role, wire_host& host, std::size_t most_bytes);
  caf_wire(const caf_wire&) = delete;
  caf_wire& operator=(const caf_wire&) = delete;
  ~caf_wire();

  /// Bytes of the other end, in order.
  void bytes_in(std::string bytes);
  /// Sends a frame, once ready. Order: as called.
  void send(std::string frame);
  /// Says that no bytes will come, and why, in a sentence.
  void hang_up(std::string why);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace greenroom::internal
