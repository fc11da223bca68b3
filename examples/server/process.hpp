// Jobs over much data behind the HTTP front: statistics of a text that is sent, or of one that is made up, with progress to look at and to follow. Jobs
// run one after the other; the last 32 are kept, for ten minutes, in memory.
#pragma once

#include <cstdint>
#include <memory>

#include <greenroom/http/routes.hpp>
#include <greenroom/runtime/actor_system.hpp>

class process_jobs;

/// Thread safety: any thread. Lifetime: the jobs end with the system.
class processing {
public:
  explicit processing(greenroom::actor_system& sys);

  /// Returns the routes, with a limit for each client.
  greenroom::http::routes routes() const;
  /// Counts the actors of the jobs, those included that are about to start or to end.
  std::uint64_t actors() const;

private:
  std::shared_ptr<process_jobs> jobs_;
};
