// The inside of a client: one request after another is sent until one is answered (attempt, retries, hedge), and one answer after another
// followed until it leads nowhere else.
// Thread safety: any thread. Lifetime: counted; calls under way keep it. The actor system outlives it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <greenroom/actors/detail/retry_tokens.hpp>
#include <greenroom/http/client.hpp>
#include <greenroom/http/internal/connection_pool.hpp>
#include <greenroom/http/internal/incoming.hpp>
#include <greenroom/http/internal/outgoing.hpp>
#include <greenroom/http/internal/retry_after.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http::internal {

/// How far a request came that has no answer.
enum class progress : std::uint8_t {
  none,    ///< nothing was sent
  sent,    ///< it may have arrived
  answered ///< a part of an answer came
};

struct attempt_result {
  // No aggregate: see docs/pitfalls.md about g++ 12.
  attempt_result() noexcept = default;
  explicit attempt_result(std::unique_ptr<incoming> got) noexcept : answer(std::move(got)) {}
  attempt_result(error failure, progress came) noexcept : why(std::move(failure)), how_far(came) {}

  std::unique_ptr<incoming> answer; // null: there is none
  error why = errc::io;
  progress how_far = progress::none;
};

/// Returns the seconds of a time, for a sentence.
inline double seconds_of(duration t) noexcept { return std::chrono::duration<double>(t).count(); }

/// Returns the code of an error for who has sent a request. What is the matter with another server becomes upstream: the code of the cause, as
/// parse, not_found or limit, would be taken for the fault of those who ask the caller.
errc code_for_caller(errc cause) noexcept;

class client_core {
public:
  client_core(actor_system& sys, client_options how);

  /// Sends a request until it has its final answer, up to the end of that one's header section. Errors: as they arise, of the transport,
  /// the parser and so on; code_for_caller() makes those of client::send() of them.
  static task<result<std::unique_ptr<incoming>>> answer_to(std::shared_ptr<client_core> core, outgoing request);

  void count_call() noexcept;
  void count_failure() noexcept { failed_.fetch_add(1, std::memory_order_relaxed); }
  client_stats stats() const;

  actor_system& system;
  const client_options options;
  const std::shared_ptr<connection_pool> pool;

private:
  using self = std::shared_ptr<client_core>;
  // Counted: the attempts of a hedge end after their caller if that is killed.
  using request_ptr = std::shared_ptr<const outgoing>;

  static task<attempt_result> persist(self core, request_ptr request);
  static task<attempt_result> attempt(self core, request_ptr request);
  static task<result<std::unique_ptr<stream>>> connect(self core, web_url to);
  static task<result<std::unique_ptr<stream>>> secured(self core, web_url to);
  static task<attempt_result> hedged(self core, request_ptr request);
  struct pair;
  static task<> run_attempt(self core, request_ptr request, address<std::size_t> done, std::shared_ptr<pair> into,
                            std::size_t index);
  static task<std::size_t> race(scope& both, self core, request_ptr request, std::shared_ptr<pair> results);

  std::optional<duration> pause_before_retry(const outgoing& request, const attempt_result& failed, int retries);
  bool spend() noexcept;

  greenroom::detail::retry_tokens budget_;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> retries_{0};
  std::atomic<std::uint64_t> retries_denied_{0};
  std::atomic<std::uint64_t> hedges_{0};
  std::atomic<std::uint64_t> redirects_{0};
};

} // namespace greenroom::http::internal
