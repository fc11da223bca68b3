// stop_signal: turns SIGINT and SIGTERM into a wait, so that main can end its services in order. For programs that own their
// process; a library leaves signals to its host. The second signal ends the process at once, as if this were not there;
// timeout(1) sends two in a row, unless it is given --foreground.
//
//   stop_signal asked;            // before the services start
//   ...
//   asked.wait();
//   front.stop();
//
// Thread safety: any thread may wait. Lifetime: from its construction on the two signals are caught; the first one, stop() or the
// destructor gives them back to whatever handled them before.
#pragma once

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom {

/// SIGINT and SIGTERM as a wait. Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT stop_signal {
public:
  /// Errors: usage_error if there is one already; std::system_error if the system refuses.
  stop_signal();
  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;
  ~stop_signal();

  /// Waits for the first signal, or stop(), and returns its number, 0 for stop(). Waits: blocks the thread.
  int wait();
  /// Returns whether a signal, or stop(), has come. For a main loop that looks now and then. Waits: never.
  bool came() const noexcept;
  /// Ends the wait as a signal would.
  void stop() noexcept;
};

} // namespace greenroom
