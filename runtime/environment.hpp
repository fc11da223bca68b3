// environment: what a system takes from outside, each piece replaceable: time, the threads that run actors, file calls, the
// network, the log, and a CAF system to live in. The defaults are the machine's own; tests and hosts put theirs in.
// Thread safety: as a value; the pieces say theirs. Lifetime: the pieces outlive the system.
#pragma once

#include <memory>
#include <optional>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/log.hpp>

namespace greenroom {

class executor;
class files;
class transport;

/// What a system takes from outside. Thread safety: as a value.
struct environment {
  const clock* time = &real_clock();           ///< the clock
  files* disk = nullptr;                       ///< the files; null: the machine's, real_files()
  transport* net = nullptr;                    ///< null: the machine's TCP, polled by the workers
  std::shared_ptr<executor> runs_on = nullptr; ///< null: a team of worker threads, as many as the options say
  std::optional<logger> log = std::nullopt;    ///< none: the system's own, to stderr; see use_logger() for the host's
  void* caf_host = nullptr;                    ///< a caf::actor_system to live in; set it by in_caf_system() of caf.hpp
};

} // namespace greenroom
