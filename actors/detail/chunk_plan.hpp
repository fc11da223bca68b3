// Which chunks of a job are still to be done, and how that, with what came of the others, stands in a checkpoint.
// Thread safety: owner only. Lifetime: values.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::detail {

/// Chunks are begun in their order. All below `next` are done, but for those that are open: few, as only so many are under way at once.
class GREENROOM_EXPORT chunk_plan {
public:
  explicit chunk_plan(std::uint64_t count) noexcept : count_(count) {}

  /// Whether there is a chunk that nobody has begun.
  bool more() const noexcept { return !again_.empty() || next_ < count_; }
  /// Begins the next chunk. Requires: more().
  std::uint64_t begin();
  /// Says that a chunk is done, and part of the state.
  void finish(std::uint64_t index) { open_.erase(index); }
  /// Whether no chunk before this one is open: its turn, where the order counts.
  bool is_first(std::uint64_t index) const { return *open_.begin() == index; }
  /// Counts the chunks that were begun and are not done.
  std::size_t under_way() const noexcept { return open_.size() - again_.size(); }
  bool all_done() const noexcept { return next_ == count_ && open_.empty(); }
  bool is_done(std::uint64_t index) const { return index < next_ && !open_.contains(index); }

  std::uint64_t next() const noexcept { return next_; }
  const std::set<std::uint64_t>& open() const noexcept { return open_; }
  /// Goes on where an earlier run was. Errors: parse for what no run can have left.
  result<void> resume(std::uint64_t next, std::set<std::uint64_t> open);

private:
  std::uint64_t count_;
  std::uint64_t next_ = 0;
  std::set<std::uint64_t> open_;
  std::set<std::uint64_t> again_; // those of open_ that this run has not begun
};

/// Returns the text of a checkpoint. `identity` is one line.
GREENROOM_EXPORT std::string checkpoint_text(std::string_view identity, const chunk_plan& plan, std::string_view state);

/// Reads a checkpoint into the plan and gives the saved state, a part of `text`.
/// Errors: parse when it is none, or damaged; invalid_argument when it is one of another input. Messages begin with a verb: put the file before them.
GREENROOM_EXPORT result<std::string_view> read_checkpoint(std::string_view text, std::string_view identity,
                                                          chunk_plan& plan);

} // namespace greenroom::detail
