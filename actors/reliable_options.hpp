// reliable_options: how a reliable_address and a reliable_outbox deliver; route: where to, an inbox here or one that another node publishes.
//
//   reliable_options<order> how{.sender = "shop", .window = 256, .tries = 10};
//   route<order> there = route_via<order>(here.connect("10.0.0.7", 7001), "orders");
//
// Thread safety: as values. Lifetime: own what they hold.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <greenroom/actors/delivery.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// How items are delivered. Thread safety: as a value.
template <class T>
struct reliable_options {
  /// The name that receivers know the sender by, the same in each of its lives; from 1 to 200 bytes. No two senders that live have the same.
  std::string sender = {};
  /// Items in one delivery, from 1; one delivery is under way at a time. More need fewer round trips, and more may be handled twice when a receiver forgets.
  std::size_t window = 64;
  /// One delivery, and so one item, has so many bytes at most. Less than the node_setup::most_bytes of the other node, which would not take it. Units: bytes.
  std::size_t most_bytes = 1 << 20;
  /// So long an answer is waited for. Half of it is there for handling: then what is done is acknowledged, and the rest comes again.
  duration limit = std::chrono::seconds(5);
  /// Before a delivery that failed is repeated; it doubles with each failure, up to most_pause.
  duration pause = std::chrono::milliseconds(100);
  /// The longest such pause.
  duration most_pause = std::chrono::seconds(5);
  /// How often one item may be refused before it is given up, from 1; 0: it is repeated until it is taken, and those behind it wait. A receiver that cannot be reached
  /// refuses nothing: items wait for it.
  std::uint32_t tries = 0;
  /// Called with what was given up. None: a line of the log.
  std::function<void(const T&, const error&)> given_up = {};
};

/// Where deliveries go: asked at the start, and again whenever a delivery has failed. Thread safety: owner only.
template <class T>
class route {
public:
  using address_type = address<request<delivery<T>>>;         ///< of an inbox
  using finder = std::function<task<result<address_type>>()>; ///< looks it up

  /// To an inbox here, or one that was looked up and stays the same. When it closes, nobody can be reached any more, and the sender ends.
  route(address_type to) : find_([to = std::move(to)] { return same(to); }) {}
  /// To whatever `find` gives. An error is as a delivery that failed; only errc::closed says that nobody will ever be there.
  explicit route(finder find) : find_(std::move(find)) {}

  /// Looks up where to send.
  task<result<address_type>> find() const { return find_(); }

private:
  static task<result<address_type>> same(address_type to) {
    if (to.closed()) co_return error(errc::closed, "the inbox is closed");
    co_return to;
  }

  finder find_;
};

namespace detail {

template <class T, class Peer>
task<result<address<request<delivery<T>>>>> find_at(Peer peer, std::string name) {
  auto looking = peer.template lookup<request<delivery<T>>>(std::move(name));
  auto found = co_await std::move(looking);
  if (!found && found.error().is(errc::closed)) // of this try alone
    co_return error(errc::unavailable, std::string(found.error().message()));
  co_return found;
}

} // namespace detail

/// To an inbox that another node publishes under a name: `route_via<order>(here.connect("10.0.0.7", 7001), "orders")`. It is looked up anew when the connection was lost.
template <class T, class Peer>
route<T> route_via(Peer peer, std::string name) {
  return route<T>(typename route<T>::finder(
      [peer = std::move(peer), name = std::move(name)] { return detail::find_at<T>(peer, name); }));
}

} // namespace greenroom
