// cluster_store: what the members of a cluster agree by: who is there, and who holds which lease. It is a store that people run already, PostgreSQL; or, for
// tests, memory; or a fixed list. membership, singleton and shards work on top of it.
//
//   auto store = open_postgres_cluster_store("dbname=shop").value();
//   const auto held = co_await store->acquire("books", "node 1", 10s);     // result<lease>; its token is newer than every one before
//   const auto longer = co_await store->renew(*held, 10s);                 // until 10 s from now
//
// A lease has one holder at a time, by the store's clock. The holder goes by its own, and counts from before it asked: then it is never the later one. What
// a holder that was paused writes all the same is refused by who remembers the highest token: fence.hpp.
// A call that fails with another error than those named here may have been done.
// Thread safety: any thread. Lifetime: shared; who calls it is an actor, and the store outlives the call.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// A process of the cluster. Thread safety: as a value.
struct cluster_member {
  std::string name;       ///< no two that live have the same; the name of its node
  std::string host = {};  ///< where its node is reached
  std::uint16_t port = 0; ///< there; 0: nowhere

  friend bool operator==(const cluster_member&, const cluster_member&) = default;
};

/// The right to do what only one may do, for some time. Thread safety: as a value.
struct lease {
  std::string name;        ///< of what is held
  std::string holder;      ///< who holds it
  std::uint64_t token = 0; ///< from 1, one more each time that it is acquired: who has the higher one came later

  friend bool operator==(const lease&, const lease&) = default;
};

/// The interface. Cancellation, of all calls: throws `cancelled`; it may have been done. Thread safety: any thread.
class GREENROOM_EXPORT cluster_store {
public:
  cluster_store() = default;
  cluster_store(const cluster_store&) = delete;
  cluster_store& operator=(const cluster_store&) = delete;
  virtual ~cluster_store();

  // -- who is there ------------------------------------------------------------------------------
  /// Says that a member lives, for `ttl` from now. Errors: already_exists, one with this name lives elsewhere, and for how long yet: that may be an earlier life of it;
  /// invalid_argument.
  virtual task<result<void>> announce(cluster_member who, duration ttl) = 0;
  /// Takes that back. Fine if nobody has that name; one that lives elsewhere keeps it.
  virtual task<result<void>> withdraw(cluster_member who) = 0;
  /// Gives those who live, in the order of their names.
  virtual task<result<std::vector<cluster_member>>> members() = 0;

  // -- who holds what ----------------------------------------------------------------------------
  /// Acquires a lease for `ttl` from now. Errors: already_exists while it is held, by whomever, also by `holder` itself: that may be an earlier life of it;
  /// invalid_argument; unsupported, the store has no leases.
  virtual task<result<lease>> acquire(std::string name, std::string holder, duration ttl) = 0;
  /// Has it last for `ttl` from now. Errors: not_found, it is over.
  virtual task<result<void>> renew(lease held, duration ttl) = 0;
  /// Ends it: anybody may have it now. Fine if it is over.
  virtual task<result<void>> release(lease held) = 0;
  /// Gives the lease of that name, if it is held.
  virtual task<result<std::optional<lease>>> look(std::string name) = 0;
};

/// Makes a store of a fixed list. All of them always count as there; announce() checks that one stands in it (else: invalid_argument). It has no leases, since nobody
/// could say who holds one when members do not see each other: errors, unsupported. What shall run once is then started on one member, by its configuration.
GREENROOM_EXPORT std::shared_ptr<cluster_store> static_members(std::vector<cluster_member> all);

/// Makes one in memory, for tests and for programs of one process: those who share it are a cluster. Its time is that of the calling actor's system.
GREENROOM_EXPORT std::shared_ptr<cluster_store> memory_cluster_store();

/// How a store in PostgreSQL is reached. Thread safety: as a value.
struct postgres_cluster_options {
  /// Two tables, `members` and `leases`, stand in this schema, which the first use makes. Small letters, digits, '_'; 48 at most; no digit or "pg_" first.
  std::string schema = "greenroom_cluster";
  std::chrono::milliseconds connect_limit =
      std::chrono::seconds(2); ///< for each host of the connection string, from 2 s
  std::chrono::milliseconds statement_limit =
      std::chrono::seconds(2); ///< then the server ends a statement; 1 s later it counts as lost
};

/// Opens a store in a PostgreSQL database, or makes one. `connection` is libpq's. Times are those of the database's clock. It has one connection, which is made again when it was
/// lost; calls go one after the other, on blocking threads. Commits wait for the disk (synchronous_commit = on); a standby that takes over must have them too, so replicate
/// synchronously: a token that is given twice fences nobody.
/// Waits: blocks the thread; bounded by the options. Errors: io, never with the password in its text; invalid_argument for the options and the connection string; parse, if the
/// schema has tables of something else; unsupported, in a build without PostgreSQL (GREENROOM_POSTGRES=ON).
GREENROOM_EXPORT result<std::shared_ptr<cluster_store>> open_postgres_cluster_store(std::string connection,
                                                                                    postgres_cluster_options how = {});

} // namespace greenroom
