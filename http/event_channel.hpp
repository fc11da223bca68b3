// event_channel: one feed of server-sent events for many clients, with a memory: a client that comes back gets what it has missed.
//
//   http::event_channel prices;
//   front.get("/prices", http::serve_events, &prices);
//   ...
//   prices.publish(R"({"id": 7, "price": 12})", "price").value();      // from any thread or actor; never waits
//
// The last events are kept once, for all: a client has a place in them and no queue of its own, so that a slow or stuck one costs no
// more than a quick one. A client whose next event has left the backlog is disconnected, not fed with a gap unseen.
// Thread safety: any thread. Lifetime: the channel outlives the servers that serve it. Its destructor closes it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <greenroom/http/events.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

namespace internal {
class event_log;
}

/// What a channel keeps, and for how many. Thread safety: as a value.
struct event_channel_options {
  /// Most events that are kept, at least 1: so far may a client fall behind, or be away, without a loss. Units: events.
  std::size_t backlog = 1'024;
  /// Most bytes that are kept, from 1,024; the longest event is as long. All clients share them. Units: bytes, as sent.
  std::size_t backlog_bytes = 1'048'576;
  /// Most clients at a time, at least 1; the next one is answered with 503. Each holds a request actor: half of limits::in_flight, so that
  /// others have room. Units: clients.
  std::size_t subscribers = 4'096;
  /// After so much silence a client gets a comment, at least 1 ms: some proxies close a connection that is silent, and a client that has
  /// gone without a word is found out only by sending. Source: the advice of the HTML standard.
  std::chrono::milliseconds heartbeat{15'000};
  /// How long a client is asked to wait before it comes back; none: as its browser has it, some seconds.
  std::optional<std::chrono::milliseconds> retry{};
  /// Stands before the number in each id, "a1b2-17". Ids of another series, as of a former run of the program, are unknown here, whatever
  /// their number. Letters, digits and '_', up to 32 of them; "": drawn at random.
  std::string series{};
};

/// What a channel has done. Thread safety: as a value.
struct event_channel_stats {
  std::uint64_t published = 0;        ///< events
  std::uint64_t subscribers = 0;      ///< now
  std::uint64_t too_slow = 0;         ///< clients that were disconnected since they had missed an event
  std::uint64_t turned_away = 0;      ///< clients that found too many there
  std::uint64_t resumed = 0;          ///< clients that came back and missed nothing
  std::uint64_t resumed_too_late = 0; ///< clients that came back with an id that is unknown, or unknown by now
};

/// One feed for many clients. Thread safety: any thread.
class GREENROOM_EXPORT event_channel {
public:
  /// Errors: usage_error with a sentence when an option is out of range.
  explicit event_channel(event_channel_options how = {});
  event_channel(const event_channel&) = delete;
  event_channel& operator=(const event_channel&) = delete;
  ~event_channel();

  /// Gives an event to all clients, and keeps it for those that come back. Returns its number; the first is 1, each one greater by 1.
  /// Waits: never. Order: all clients see all events in the order of their numbers.
  /// Errors: closed; invalid_argument as event_text(); limit when it is longer than the backlog may be.
  /// Cost: one copy of the event, and a wake-up for each client that waits.
  result<std::uint64_t> publish(std::string data, std::string name = {});

  /// Ends the feed: clients get what was published, then the end; who comes then is answered with 204, so that no client comes back again.
  /// Waits: never. Closing twice is fine.
  void close() noexcept;

  /// Returns what it has done.
  event_channel_stats stats() const noexcept;

private:
  friend GREENROOM_EXPORT response serve_events(request r, event_channel* from);
  std::shared_ptr<internal::event_log> log_; // shared with the feeds, which may end a little later
};

/// A handler: answers with the events of the channel from now on. A client that gives Last-Event-ID gets first what was published behind that
/// one; where the id is too old or of no event here it gets all that is kept: nothing is lost silently, but the client may see an event
/// twice, or see from a number that some are missing. The ids are "<series>-<number>".
/// Waits: never. Answers 503 when there are too many clients, 204 when the channel is closed.
GREENROOM_EXPORT response serve_events(request r, event_channel* from);

} // namespace greenroom::http
