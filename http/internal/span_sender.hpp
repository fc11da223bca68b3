// The actor of an otlp_exporter: takes batches out of the queue and sends each until the collector has it, refuses it, or its time is over.
// Thread safety: any thread, but for what is the actor's. Lifetime: shared by the exporter and the actor.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/client.hpp>
#include <greenroom/http/internal/span_queue.hpp>
#include <greenroom/http/otlp_exporter.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http::internal {

class span_sender {
public:
  span_sender(actor_system& system, otlp_options how, address<nothing> wake);

  /// Starts the actor, and takes the system's spans.
  static void start(const std::shared_ptr<span_sender>& me, mailbox<nothing> wake);
  /// Takes no more spans, and has the actor send what is left and end.
  void begin_stop() noexcept;
  /// Waits for that, for `limit` at most.
  static task<otlp_stats> end(std::shared_ptr<span_sender> me, duration limit);
  /// Has the actor end now.
  void cancel() noexcept;
  otlp_stats stats() const noexcept;

  actor_system& system;
  const otlp_options how;

private:
  using self = std::shared_ptr<span_sender>;
  enum class outcome { taken, refused, not_now };
  struct attempt;
  struct batch_in_hand;

  static task<> run(self me, mailbox<nothing> wake);
  static task<> deliver(self me, mailbox<nothing> wake, std::vector<span> batch);
  static task<attempt> post(self me, std::string body);
  static attempt taken_attempt(std::string_view answer);
  void note_outcome(const attempt& last);

  const std::string resource_;
  client web_;
  const address<nothing> wake_;
  const std::shared_ptr<span_queue> queue_;
  actor actor_; // constant once it is started
  // The actor's: what the log has said of the last batch.
  bool broken_ = false;  // it did not arrive
  bool rejects_ = false; // spans of it were rejected
  std::atomic<std::uint64_t> exported_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> in_hand_{0};
};

} // namespace greenroom::http::internal
