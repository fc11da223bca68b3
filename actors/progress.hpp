// progress: how far a long job is: a value that anybody can ask for at any time, with rate and remaining time, and a bar of it for terminals.
//
//   progress_meter meter;
//   sys.spawn({.name = "copy"}, copy_all, meter);                  // which calls begin(), add(), end()
//   std::puts(progress_line(meter.look(sys.now())).c_str());
//   // [==========>         ]  52 %  1.2 GB of 2.3 GB  410 MB/s  3 s left
//
// process_chunks() of chunk_pipeline.hpp moves one; http/progress_events.hpp sends it to browsers.
// Thread safety: a meter is a handle, to be copied and used by any thread; the rest as values. Lifetime: counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom {

/// How a job stands.
enum class work_state : std::uint8_t { waiting, running, done, failed, cancelled };
/// Returns the name as it is spelled above.
GREENROOM_EXPORT const char* to_string(work_state state) noexcept;

/// How far a job is, at one moment.
struct progress {
  work_state state = work_state::waiting; ///< how the job stands
  bool in_bytes = true;                   ///< whether the amounts are bytes, else plain counts
  std::uint64_t total = 0;                ///< the whole job
  std::uint64_t done = 0;                 ///< of that, what earlier runs did included
  std::uint64_t resumed = 0;              ///< of that, what earlier runs did
  std::uint64_t retries = 0;              ///< what was tried again
  duration elapsed{};                     ///< since this run began, until it ended

  /// Returns whether the job has ended, however it did.
  bool over() const noexcept { return state > work_state::running; }
  /// Returns the part that is done, 0 to 1. A job of nothing is 0 until it is done.
  GREENROOM_EXPORT double fraction() const noexcept;
  /// Returns what this run does in a second, on average; 0 before it has done anything. Units: as total, each second.
  GREENROOM_EXPORT double rate() const noexcept;
  /// Returns how long the rest takes at that rate; nothing while there is none.
  GREENROOM_EXPORT std::optional<duration> remaining() const noexcept;
};

/// Returns a line with a bar of so many characters: `[=====>    ]  52 %  1.2 GB of 2.3 GB  410 MB/s  3 s left`, or what became of it.
GREENROOM_EXPORT std::string progress_line(const progress& p, std::size_t bar = 24);

/// Thread safety and lifetime: see the file comment. Cost: a lock for each call, which is held for some instructions.
class GREENROOM_EXPORT progress_meter {
public:
  progress_meter();

  /// Returns how far the job is now, or was when it ended.
  progress look(time_point now) const;

  /// Says that a run begins, of `total`, of which earlier runs did `resumed`. A meter may be used again.
  void begin(time_point now, std::uint64_t total, std::uint64_t resumed = 0, bool in_bytes = true) const;
  /// Says that so much more is done.
  void add(std::uint64_t amount) const;
  /// Says that something was tried again.
  void add_retry() const;
  /// Says how the run ended. Later ends of the same run change nothing.
  void end(time_point now, work_state how) const;

private:
  struct shared {
    std::mutex lock; // held for some instructions
    progress now;
    time_point began{};
  };
  std::shared_ptr<shared> of_;
};

/// Gives `show` a line, again and again, until the job is over: "\r" and the line, and a line feed behind the last one.
/// Waits: until the job is over. Cancellation: throws `cancelled`.
GREENROOM_EXPORT task<> show_progress(progress_meter meter, std::function<void(std::string_view)> show,
                                      std::chrono::milliseconds every = std::chrono::milliseconds(200));

} // namespace greenroom
