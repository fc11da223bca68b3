// TCP, polled by a system's workers.
// Thread safety: as transport.hpp says.
#pragma once

#include <atomic>
#include <memory>

#include <greenroom/runtime/internal/polled_socket.hpp>
#include <greenroom/runtime/internal/socket_address.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::detail {
class runtime_core;
}

namespace greenroom::internal {

class worker_team;

class tcp_transport final : public transport {
public:
  /// Without a team every call fails: another executor polls no sockets.
  tcp_transport(detail::runtime_core& core, worker_team* team);
  /// Closes what is still open. Requires: the workers exist, but their threads have ended.
  ~tcp_transport() override { all_->close_all(); }

  result<std::unique_ptr<listener>> listen(const endpoint& at, const listen_options& how) override;
  task<result<std::unique_ptr<stream>>> connect(endpoint to) override;

  /// Makes the stream of an accepted connection; its worker is the next in turn.
  result<std::unique_ptr<stream>> accepted(unique_fd fd, const socket_address& from);

private:
  task<result<std::unique_ptr<stream>>> connect_to(socket_address address, endpoint shown);
  task<result<std::vector<socket_address>>> addresses_of(endpoint to);
  const std::shared_ptr<poller>& poller_here() noexcept;
  const std::shared_ptr<poller>& next_poller() noexcept;

  detail::runtime_core& core_;
  worker_team* const team_;
  const std::shared_ptr<open_sockets> all_ = std::make_shared<open_sockets>();
  std::atomic<std::size_t> next_{0};
};

} // namespace greenroom::internal
