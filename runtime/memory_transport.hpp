// memory_transport: a network inside the process, for tests and simulations: no socket, no port of the machine, no thread, no clock.
//
//   memory_transport net;
//   actor_system sys{options{}, environment{.net = &net}};   // what listens and connects in it meets here
//
// It behaves as TCP does where programs notice: back-pressure, an orderly end, a reset when input was left unread, nobody listening,
// a full backlog. Bytes arrive at once and in order, and none is lost.
// Thread safety: any thread, and several systems at once. Lifetime: outlives the systems that use it; streams and listeners may
// outlive it.
#pragma once

#include <cstddef>
#include <memory>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom {

/// A network inside the process. Thread safety: any thread.
class GREENROOM_EXPORT memory_transport final : public transport {
public:
  /// Makes a network whose connections hold at most `capacity` bytes each way, at least 1. Units: bytes.
  explicit memory_transport(std::size_t capacity = 65'536);
  ~memory_transport() override;

  /// Listens at any host and port; port 0 picks a free one. A connection finds it by the same host, or by any if the host is
  /// 0.0.0.0 or ::. Errors: already_exists; invalid_argument for a backlog below 1.
  result<std::unique_ptr<listener>> listen(const endpoint& at, const listen_options& how = {}) override;
  /// Connects at once. Errors: io when nobody listens there, or the backlog of who does is full.
  task<result<std::unique_ptr<stream>>> connect(endpoint to) override;

  /// Breaks a connection of this network: both ends fail with io from now on, as after a reset. Waits: never.
  static void reset(stream& one_end) noexcept;

private:
  class hub;
  std::shared_ptr<hub> hub_;
};

} // namespace greenroom
