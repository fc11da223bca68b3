// The part of process_chunks() that does not depend on the types of its functions: how much may be under way, checkpoints, progress, messages.
// Thread safety: owner only, unless noted. Lifetime: in the frame of process_chunks().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <greenroom/actors/chunk_options.hpp>
#include <greenroom/actors/chunks.hpp>
#include <greenroom/actors/detail/chunk_plan.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/files.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::detail {

/// What is left of the attempts at a chunk.
struct GREENROOM_EXPORT chunk_attempts {
  unsigned most;
  duration pause; // before the next one
  unsigned made = 0;

  /// Counts one that failed; whether there is to be another.
  bool again(const error& why) noexcept;
  duration next_pause() noexcept;
};

class GREENROOM_EXPORT chunk_run {
public:
  chunk_run(chunk_input input, chunk_options how);
  chunk_run(const chunk_run&) = delete;
  chunk_run& operator=(const chunk_run&) = delete;
  ~chunk_run();

  const chunk_input& input() const noexcept { return input_; }
  std::size_t workers() const noexcept { return how_.workers; }
  std::size_t in_flight() const noexcept { return how_.in_flight; }
  bool ordered() const noexcept { return how_.ordered; }
  bool has_checkpoint() const noexcept { return !how_.checkpoint.empty(); }
  chunk_attempts attempts() const noexcept { return {how_.attempts, how_.pause}; }
  const progress_meter& meter() const noexcept { return how_.meter; }
  chunk_plan& plan() noexcept { return plan_; }

  /// Checks the options and reads the checkpoint. Gives the state that was saved in it, if there is one.
  task<result<std::optional<std::string>>> open();
  /// Says that the work begins.
  void start();
  bool may_begin() const noexcept { return plan_.more() && plan_.under_way() < how_.in_flight; }
  void finish(std::uint64_t index);
  /// Whether a checkpoint is to be written now.
  bool checkpoint_due() const;
  /// Writes a checkpoint. Errors: io, also when the input has changed.
  task<result<void>> save(std::string state);
  /// Ends the work: all is done. Errors: as save().
  task<result<void>> close();
  /// Ends it otherwise, and gives `why` as it came.
  error fail(error why);
  error failure_of(std::uint64_t index, unsigned attempts, const error& why) const;

private:
  result<std::optional<std::string>> read(files* disk); // these block the thread
  result<void> write(files* disk, std::string state);
  result<void> remove(files* disk);
  result<void> check_unchanged() const;

  chunk_input input_;
  chunk_options how_;
  chunk_plan plan_;
  std::string identity_;
  time_point saved_at_{};
};

} // namespace greenroom::detail
