// shards: an actor for each key, somewhere in the cluster: each key belongs to one of a fixed number of shards, each shard, by a lease, to one member, and there the
// actor of a key is started by its first request, and ends when nobody has asked it for a while.
//
//   task<> account(std::string key, lease held, mailbox<request<deposit>> in);          // an entity: one for each key
//
//   shards<deposit> accounts(sys, who, {.name = "accounts"}, &deposit::to, account);    // the same at each member
//   accounts.publish(here).value();                                                     // for those of other members
//   auto asking = accounts.ask(d, 1s);                                                  // from any member
//   const auto balance = co_await std::move(asking);
//
// A shard goes to the member with the highest hash of both names among those who are there (rendezvous hashing): all members find the same one without a call, and one that comes
// or goes moves its own share alone. Who finds it otherwise for a moment asks somebody who does not hold the shard, and is told errc::unavailable: try again.
// No two members hold a shard at a time, by its lease, see singleton.hpp; what an entity writes late is refused by its token, held.token. When a shard moves, its
// entities get what is queued for them, their mailboxes close, and when all have ended the lease is given back, in the time that it lasts.
// An entity that fails is started anew by the next request; one whose mailbox has closed returns.
// Thread safety: any thread; copies share one state. Lifetime: when the last copy goes, or by stop(), this member lets go of its shards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/detail/shard_room.hpp>
#include <greenroom/actors/membership.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/actors/singleton.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom {

/// How keys are spread, and how shards are held. The first two are the same at all members. Thread safety: as a value.
struct sharding_options {
  std::string name;          ///< of all of it; leases are "NAME/NUMBER"
  std::uint32_t shards = 64; ///< from 1 to 4,096, and never changed: some times as many as there will be members
  duration idle = std::chrono::minutes(5);  ///< an entity that was not asked for so long, or a quarter longer, ends
  std::uint32_t queue = 64;                 ///< requests that may wait for an entity; one more fails with errc::full
  duration ttl = std::chrono::seconds(10);  ///< of the lease of a shard, as the next two; see singleton_options
  duration every = std::chrono::seconds(2); ///< a store has shards / members calls in this time, from each
  duration grace = std::chrono::seconds(3); ///< for the end of its entities when a lease is lost
};

/// Returns the shard of a key, from 0: FNV-1a of its bytes, spread by splitmix64, modulo `shards`. It is the same on all machines, for ever.
GREENROOM_EXPORT std::uint32_t shard_of(std::string_view key, std::uint32_t shards) noexcept;
/// Returns who should have a shard; nothing if there is nobody.
GREENROOM_EXPORT std::optional<cluster_member> shard_owner(const std::vector<cluster_member>& members,
                                                           std::string_view name, std::uint32_t shard);

namespace detail {
/// Runs a shard while its lease is held.
using shard_body = std::function<actor(const lease&, std::uint32_t shard)>;
/// Holds those shards that should be this member's, until `stop` or the lists of members close.
GREENROOM_EXPORT task<> hold_shards(mailbox<nothing> stop, mailbox<std::vector<cluster_member>> lists,
                                    cluster_member self, std::shared_ptr<cluster_store> store, sharding_options how,
                                    shard_body body);
GREENROOM_EXPORT void check_sharding(const sharding_options& how);
} // namespace detail

/// Requires: requests of type M, which cross between members as wire.hpp says. Thread safety and lifetime: see the file comment.
template <has_reply M>
class shards {
public:
  using reply_type = typename M::reply;
  /// How another member's intake() is got.
  using reach_member = std::function<task<result<address<request<M>>>>(std::string member)>;

  /// Starts to hold this member's part. `key_of` gives the key of a message, a member of it for example; `entity(key, lease, mailbox<request<M>>)` is the actor of a key.
  /// `reach` is for those who do not reach others by the membership's node. Errors: usage_error for options out of range.
  template <class F>
  shards(actor_system& sys, membership who, sharding_options how, std::function<std::string(const M&)> key_of, F entity,
         reach_member reach = nullptr);

  /// Has the other members reach the entities here: each member does so, once. Errors: as node::publish().
  result<void> publish(node& here) const { return here.publish(core_->published, core_->intake); }

  /// Asks the entity of the message's key, wherever it is. Waits: for the answer, for `limit` at most. Cancellation: throws `cancelled`; it may have been received.
  /// Errors: unavailable, the shard is nowhere just now, or the way to it has broken (then it may have been received): try again; as ask() otherwise.
  task<result<reply_type>> ask(M message, duration limit) const { return ask_in(core_, std::move(message), limit); }

  /// Returns where requests for the entities of this member go in; those for others' get errc::unavailable.
  const address<request<M>>& intake() const noexcept { return core_->intake; }
  /// Returns the numbers of the shards that this member holds now.
  std::vector<std::uint32_t> held() const { return core_->rooms->held(); }
  /// Lets go of all shards, in order, and ends the actor. Waits: never; keeper() can be waited for.
  void stop() const { core_->alive.close(); }
  /// Returns the actor.
  const actor& keeper() const noexcept { return core_->keeper; }

private:
  struct core {
    core(membership w, sharding_options h, reach_member r)
        : who(std::move(w)), how(std::move(h)), reach(std::move(r)) {}
    const membership who;
    const sharding_options how;
    reach_member reach;
    std::string published;
    std::shared_ptr<detail::shard_rooms<M>> rooms;
    address<request<M>> intake;
    address<nothing> alive;
    actor keeper;

    std::mutex lock;
    std::map<std::string, address<request<M>>> others; // guarded by lock
  };

  static task<result<reply_type>> ask_in(std::shared_ptr<core> all, M message, duration limit);
  static task<result<address<request<M>>>> find(std::shared_ptr<core> all, std::string member);
  static task<result<address<request<M>>>> look_up(membership who, std::string member, std::string published);

  std::shared_ptr<core> core_;
};

template <has_reply M>
template <class F>
shards<M>::shards(actor_system& sys, membership who, sharding_options how, std::function<std::string(const M&)> key_of,
                  F entity, reach_member reach)
    : core_(std::make_shared<core>(std::move(who), how, std::move(reach))) {
  detail::check_sharding(how);
  core_->published = fmt::format("shards of {} ({})", how.name, how.shards);
  core_->rooms = std::make_shared<detail::shard_rooms<M>>(detail::shard_kind<M>{
      how.name, how.idle, how.queue, how.shards, std::move(key_of), &shard_of,
      [entity = std::move(entity)](const std::string& key, const lease& held, mailbox<request<M>> in) {
        return spawn({.name = "entity", .ctx = this_actor::context()}, entity, key, held, std::move(in));
      }});
  auto ends = make_mailbox<request<M>>(bounded(how.queue));
  core_->intake = std::move(ends.out);
  sys.spawn({.name = "shards intake"}, detail::take_in<M>, std::move(ends.in), core_->rooms);
  auto [stop, alive] = make_mailbox<nothing>(bounded(1));
  core_->alive = std::move(alive);
  core_->keeper = sys.spawn({.name = "shards"}, detail::hold_shards, std::move(stop), core_->who.watch(),
                            core_->who.self(), core_->who.store(), std::move(how),
                            detail::shard_body([rooms = core_->rooms](const lease& held, std::uint32_t shard) {
                              return spawn({.name = "shard", .ctx = this_actor::context()}, detail::run_shard<M>, held,
                                           shard, rooms);
                            }));
}

template <has_reply M>
task<result<typename M::reply>> shards<M>::ask_in(std::shared_ptr<core> all, M message, duration limit) {
  const auto until = saturating_add(this_actor::system().now(), limit);
  const auto shard = shard_of(all->rooms->key_of(message), all->how.shards);
  auto to = all->rooms->find(shard); // who holds it need not ask whose it should be
  if (!to) {
    const auto owner = shard_owner(all->who.members(), all->how.name, shard);
    if (!owner || owner->name == all->who.self().name) co_return all->rooms->not_here(shard);
    auto finding = find(all, owner->name);
    auto found = co_await with_deadline(until, std::move(finding));
    if (!found) co_return found.error();
    to = *std::move(found);
  }
  const auto answer = co_await ask_until(to, std::move(message), until);
  if (!answer && answer.error().is(errc::closed)) co_return all->rooms->not_here(shard);
  co_return answer;
}

template <has_reply M>
task<result<address<request<M>>>> shards<M>::find(std::shared_ptr<core> all, std::string member) {
  {
    const std::lock_guard guard(all->lock);
    const auto known = all->others.find(member);
    if (known != all->others.end() && !known->second.closed()) co_return known->second;
  }
  auto looking = all->reach ? all->reach(member) : look_up(all->who, member, all->published);
  auto found = co_await std::move(looking);
  if (found) {
    const std::lock_guard guard(all->lock);
    all->others.insert_or_assign(member, *found);
  }
  co_return found;
}

template <has_reply M>
task<result<address<request<M>>>> shards<M>::look_up(membership who, std::string member, std::string published) {
  const auto peer = who.peer(member);
  if (!peer) co_return error(errc::unavailable, std::string(peer.error().message()));
  auto looking = peer->template lookup<request<M>>(std::move(published));
  auto found = co_await std::move(looking);
  if (!found && found.error().is(errc::closed)) // it has left the list meanwhile
    co_return error(errc::unavailable, std::string(found.error().message()));
  co_return found;
}

} // namespace greenroom
