// membership: keeps this process among the members of a cluster, and knows who else is there, by a store that all of them share.
//
//   node here(sys, {.name = "node 1", .listen = true, .port = 7001});
//   here.start().value();
//   membership who(sys, store, {.self = {"node 1", "127.0.0.1", here.port()}}, &here);
//   for (const auto& each : who.members()) ...                          // cluster_member
//   auto books = who.peer("node 2").value();                            // the node_peer, connected to already
//   while (auto now = co_await lists.receive()) ...                     // auto lists = who.watch(): each time that the list is another
//
// A member that has not announced itself for its ttl is gone, for the list; whether its node is reached, the node_peer says. While the store is out of reach the list stays as it was
// last read, and nobody leaves it by the first reading behind that, since all of them may have been cut off. A member whose name another has, perhaps itself before it crashed and came back at another port,
// is not announced until that one's time is over, and goes on trying.
// Nothing here decides who may do what: that is what leases are for.
// Thread safety: any thread; copies share one state. Lifetime: when the last copy goes, or by stop(), the member is withdrawn. The node outlives the copies, the system the actor.
#pragma once

#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include <greenroom/actors/cluster_store.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {

/// Who this is, and how it keeps being there. Thread safety: as a value.
struct membership_options {
  cluster_member self;                      ///< as the others see it
  duration ttl = std::chrono::seconds(6);   ///< so long it is there for the others without a word
  duration every = std::chrono::seconds(2); ///< how often it is announced, and the list read
};

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT membership {
public:
  /// Starts the actor, which announces `self`, reads the list and has `here`, if there is one, connect to all others, those with port 0 apart.
  /// Errors: usage_error, for a ttl that leaves no room for two announcements, and for a node of another name than `self`.
  membership(actor_system& sys, std::shared_ptr<cluster_store> store, membership_options how, node* here = nullptr,
             std::source_location where = std::source_location::current());

  /// Returns who is there, by name, this process too once it is announced; none before the first reading. Waits: never.
  std::vector<cluster_member> members() const;
  /// Makes a mailbox that gets the list now, and each time that it is another; one that is not taken is replaced by the next.
  mailbox<std::vector<cluster_member>> watch() const;
  /// Returns the node of a member, which is connected to, or tried again and again. Who is gone from the list, and is not reached either, is tried no more, and what was
  /// given here before is closed. Errors: not_found, for those and for who never was there; unsupported, there is no node here.
  result<node_peer> peer(const std::string& name) const;

  /// Returns who this is.
  const cluster_member& self() const noexcept;
  /// Returns the store.
  const std::shared_ptr<cluster_store>& store() const noexcept;
  /// Withdraws the member, and ends the actor. Waits: never; who() can be waited for.
  void stop() const;
  /// Returns the actor.
  const actor& who() const noexcept;

private:
  struct core;
  std::shared_ptr<const core> core_;
};

} // namespace greenroom
