// fence: lets a resource refuse who held a lease before: it remembers the highest token that it has seen. A holder that was paused, or cut off, may find out late that
// its lease has passed; what it writes meanwhile ends here.
//
//   fence only_newest("books");
//   if (auto fine = only_newest.check(held.token); !fine) return fine.error();   // before each write
//
// In a database the same is a condition, beside the write and in its transaction; $1 is the token:
//
//   UPDATE books_fence SET token = $1 WHERE token <= $1      -- no row: refuse
//
// and in a journal it is check_fence(). A fence in memory protects what lives in this process, against holders elsewhere; what outlives the process
// needs its token to outlive it, too.
// Thread safety: any thread. Lifetime: owns all.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

class journal;

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT fence {
public:
  /// Makes one that has seen no token above `seen`; `what` names the resource in errors.
  explicit fence(std::string what, std::uint64_t seen = 0);

  /// Lets a holder pass whose token is not older than any that passed. Waits: never. Errors: not_found, in a sentence: it has no lease any more.
  result<void> check(std::uint64_t token);
  /// Returns the highest token that has passed.
  std::uint64_t seen() const noexcept { return seen_.load(); }

private:
  const std::string what_;
  std::atomic<std::uint64_t> seen_;
};

/// The same in a journal, for its transaction under way: the token is kept with what is written, as the cursor of a reader "fence NAME". Requires: a transaction is under
/// way. Waits: blocks the thread. Errors: not_found, as above, and then the transaction is to be rolled back; io.
GREENROOM_EXPORT result<void> check_fence(journal& log, const std::string& name, std::uint64_t token);

} // namespace greenroom
