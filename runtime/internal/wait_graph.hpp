// Who could end whose wait. Nodes are actors, the variables of each (its frames: used by itself and by the children of its scopes), and the
// places where actors wait: mailboxes, locks and so on. A node is alive if one of those it depends on is: an actor, if one of the places
// it waits in is; a place, if one of those who have an end of it is, or if not all of its ends were found. What is left when no more
// come to life are deadlocks, and those who wait for them.
// Thread safety: owner only. Lifetime: within that of its snapshot.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include <greenroom/runtime/internal/wait_snapshot.hpp>

namespace greenroom::internal {

class wait_graph {
public:
  /// Makes the graph and lets it come to life. With `timed_too` waits that a deadline will end count as hopeless, too, unless it is a usual
  /// way to end such a wait: a receive with a limit may be the beat of a clock, a call that waits for its time-out is a failure.
  wait_graph(const wait_snapshot& snapshot, bool timed_too);

  /// Brings to life what has changed since the snapshot began.
  void drop_what_has_changed();

  struct member {
    std::size_t actor; // its position in the snapshot
    bool in_knot;
    std::vector<std::size_t> held_up_by; // positions
  };
  using group = std::vector<member>;
  /// Returns what is left: knots, each with those who wait behind it.
  std::vector<group> groups() const;

private:
  using node = std::uint32_t;
  static constexpr node none = UINT32_MAX;

  struct place {
    detail::wait_kind kind{}; // of a wait in it
    const void* at = nullptr;
    std::size_t waiter = 0;  // an actor that waits in it
    std::int64_t strong = 0; // ends found, by kind; permits, seats and requests count as strong
    std::int64_t receiving = 0;
    std::int64_t weak = 0;
  };

  /// Mailboxes and others are told apart even where one took the memory of the other while they were read.
  static std::uintptr_t key_of(bool is_mailbox, const void* place) noexcept {
    return reinterpret_cast<std::uintptr_t>(place) + (is_mailbox ? 1 : 0);
  }
  node frame_of(std::size_t i) const noexcept { return static_cast<node>(actors_ + i); }
  place& place_of(node n) noexcept { return places_[n - 2 * actors_]; }
  void connect();
  void come_to_life(bool timed_too);
  node add_place(const place& p);
  node place_for(const seen_case& c, std::size_t waiter);
  void add_waits(std::size_t i);
  void add_family(std::size_t i);
  static bool count_end(place& p, const seen_end& e) noexcept;
  void add_ends(const std::vector<seen_end>& ends, node holder);
  bool add_queue(const seen_permits& lock, node at);
  void depend(node dependent, node on);
  void show(node dependent, node on);
  void tie(node dependent, node on);
  node shown_for(const seen_case& c) const;
  bool all_ends_found(const place& p, node n) const;
  bool still_so(const place& p) const;
  void revive(node n);

  std::vector<std::size_t> who_holds_up(node waiting, std::vector<node>& seen) const;

  struct components;

  const wait_snapshot& snapshot_;
  const std::size_t actors_;
  std::unordered_map<const detail::actor_cell*, std::size_t> position_;
  std::unordered_map<std::uintptr_t, node> place_at_; // by key_of()
  std::vector<place> places_;                         // of the nodes behind actors and frames
  // For each node.
  std::vector<std::vector<node>> depends_on_;
  // What a report shows: whom one waits for. A mailbox that one would receive from depends on all its ends, since each may close it,
  // but it is the senders that one waits for. Hence two nodes more for each mailbox, behind it, which stand in no other list.
  std::vector<std::vector<node>> shown_;
  std::vector<std::vector<node>> dependents_;
  // How many more of those it depends on must be alive for it to live; 1 but for scopes.
  std::vector<std::uint32_t> missing_;
  std::vector<bool> alive_;
};

} // namespace greenroom::internal
