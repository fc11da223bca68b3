// The two ends of a stream between nodes, as the actors see them that stand at either: bytes, room for them, answers. What those actors do for
// each type stands in node_carry.hpp.
// Thread safety: as noted. Lifetime: counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <greenroom/actors/wire.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom::detail {

/// What crosses: a message and its answer, or an item and nothing.
struct flow_types {
  wire_type item;
  std::optional<wire_type> reply;
};

/// An item as it comes out at the other side.
struct flow_item {
  std::uint64_t number = 0;
  std::int64_t time_left = -1; // of a request, in nanoseconds; -1: no limit
  trace_context trace;
  std::string bytes;
};

/// Room for so many items more, in this life of the connection.
struct flow_credit {
  std::uint64_t life = 0;
  std::uint32_t more = 0;
};

using flow_answer = result<std::string>;

/// The side that takes items: what its actor tells the other node. Thread safety: any thread.
class GREENROOM_EXPORT flow_sink {
public:
  virtual ~flow_sink();
  /// One item more was taken: by its one actor.
  virtual void taken() = 0;
  /// Begins the work for a request that has come: returns the context that ends when nobody waits any more.
  virtual context begin(std::uint64_t number, std::int64_t time_left) = 0;
  /// Ends it.
  virtual void answer(std::uint64_t number, flow_answer what) = 0;
  /// Nothing more is taken.
  virtual void end(std::string why) = 0;
};

/// An actor that takes what comes, for one published name.
using flow_server = std::function<task<>(mailbox<flow_item>, std::shared_ptr<flow_sink>)>;

/// Who carries items to the other node. Thread safety: any thread.
class GREENROOM_EXPORT flow_route {
public:
  virtual ~flow_route();
  virtual void carry(std::uint32_t stream, flow_item item) = 0;
  virtual void give_up(std::uint32_t stream, std::uint64_t number) = 0;
  virtual void end(std::uint32_t stream) = 0;
};

/// The side that sends. Thread safety: room() and put() by its one actor; the rest any thread.
class GREENROOM_EXPORT outflow {
public:
  outflow(std::uint32_t stream, std::string name, flow_types types, bool waits);

  // -- for the actor that carries

  /// Waits for room for one item. Gives false when the stream is over.
  static task<bool> room(std::shared_ptr<outflow> self);
  /// Sends an item in the room. False if the connection was lost meanwhile: the room went with it, and the item is still the caller's.
  bool put(std::string& bytes);
  /// The same with a request; its answer goes to `to`, which is closed if none can come.
  bool ask(std::string& bytes, std::int64_t time_left, address<flow_answer> to, std::uint64_t& number);
  void give_up(std::uint64_t number);
  /// Returns an error if the other node would not take so many bytes in one item. Its room is there for another one then. After room().
  result<void> fits(std::size_t bytes);
  /// No more will be sent.
  void end();
  /// Returns why nothing can be sent.
  error why() const;

  // -- for the connection

  /// Waits until the other side has said whether it takes the stream.
  static task<result<void>> opened(std::shared_ptr<outflow> self);
  /// `most_bytes`: of an item. Units: bytes.
  void open(std::shared_ptr<flow_route> via, std::uint32_t window, std::size_t most_bytes);
  void refuse(error why);
  void more(std::uint32_t items);
  void answered(std::uint64_t number, flow_answer what);
  /// The connection was lost: what is under way is, too.
  void lose(const error& why);
  /// The stream is over.
  void close(error why);

  std::uint32_t stream() const noexcept { return stream_; }
  const std::string& name() const noexcept { return name_; }
  const flow_types& types() const noexcept { return types_; }

private:
  bool send(std::string& bytes, std::int64_t time_left, std::uint64_t number);

  const std::uint32_t stream_;
  const std::string name_;
  const flow_types types_;
  const bool waits_;             // for the other node to come back, in place of ending
  mailbox<flow_credit> credits_; // unbounded: as many as the window
  address<flow_credit> to_credits_;
  mailbox<result<void>> opening_;
  address<result<void>> to_opening_;
  std::atomic<std::uint64_t> life_{0}; // counts connections; the room of an earlier one is gone

  // The carrier's own.
  std::uint64_t room_life_ = 0;
  std::uint32_t room_ = 0;
  std::uint64_t next_number_ = 1;

  mutable std::mutex lock_; // guards the following
  std::shared_ptr<flow_route> via_;
  bool ended_ = false; // by end()
  std::size_t most_bytes_ = 0;
  std::map<std::uint64_t, address<flow_answer>> asked_;
  error why_ = errc::unavailable;
};

} // namespace greenroom::detail
