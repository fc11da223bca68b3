// A stream that notes when bytes came last. It stands below TLS, which hands on nothing before a record of up to 16 KiB is whole, and that may take longer than a silence
// that counts as down.
// Thread safety: as stream; the note any thread. Lifetime: the system outlives it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::internal {

/// When bytes came last.
using read_note = std::atomic<time_point>;

class noted_stream final : public stream {
public:
  noted_stream(std::unique_ptr<stream> over, const actor_system& sys, std::shared_ptr<read_note> note)
      : stream(source_of(*over)), over_(std::move(over)), sys_(sys), note_(std::move(note)) {}

  result<std::size_t> try_read(std::span<std::byte> into) override {
    auto got = over_->try_read(into);
    if (got && *got != 0) note_->store(sys_.now());
    return got;
  }
  result<std::size_t> try_write(std::span<const std::byte> bytes) override { return over_->try_write(bytes); }
  void shutdown_send() noexcept override { over_->shutdown_send(); }
  void close() noexcept override { over_->close(); }
  greenroom::peer_state peer_state() const noexcept override { return over_->peer_state(); }
  std::string peer() const override { return over_->peer(); }

private:
  const std::unique_ptr<stream> over_;
  const actor_system& sys_;
  const std::shared_ptr<read_note> note_;
};

/// A connection, TLS included, and the note of what comes over it.
struct noted_connection {
  std::unique_ptr<stream> io;
  std::shared_ptr<read_note> note;

  /// Returns one over a stream that has no note yet.
  static noted_connection over(std::unique_ptr<stream> raw, const actor_system& sys) {
    auto note = std::make_shared<read_note>(time_point());
    return {std::make_unique<noted_stream>(std::move(raw), sys, note), note};
  }
};

} // namespace greenroom::internal
