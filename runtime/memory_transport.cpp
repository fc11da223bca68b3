#include <greenroom/runtime/memory_transport.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/detail/readiness.hpp>

namespace greenroom {
namespace {

using detail::io_side;

/// Bytes on their way in one direction. Guarded by the pipe's mutex; the atomics are also read by waits, under their own lock: they
/// are set before the waits are woken.
struct flow {
  std::vector<std::byte> bytes;
  std::size_t begin = 0; // of what has not been read
  std::atomic<std::size_t> size{0};
  std::atomic<bool> ended{false}; // nothing follows
};

/// One connection, both directions. Flow i is what end i reads.
/// Lock order: an end's lock, then nothing; the mutex is never taken together with an end's lock.
class pipe {
public:
  class end final : public detail::readiness_source {
  public:
    bool ready_or_watch_locked(io_side side) override {
      if (owner->broken || owner->closed[index] || owner->closed[1 - index]) return true;
      if (side == io_side::reading) return owner->flows[index].size != 0 || owner->flows[index].ended;
      return owner->flows[1 - index].size < owner->capacity || owner->flows[1 - index].ended;
    }
    pipe* owner = nullptr; // constant
    std::size_t index = 0;
  };

  explicit pipe(std::size_t bytes) : capacity(bytes) {
    for (std::size_t i = 0; i < 2; ++i) ends[i].owner = this, ends[i].index = i;
  }

  void wake_all() noexcept {
    for (auto& e : ends) e.wake();
  }
  void break_off() noexcept {
    broken = true;
    wake_all();
  }

  const std::size_t capacity;
  std::mutex mutex;
  std::array<flow, 2> flows;
  std::array<std::atomic<bool>, 2> closed{};
  std::atomic<bool> broken{false}; // reset; never taken back
  std::array<end, 2> ends;
};

class memory_stream final : public stream {
public:
  memory_stream(std::shared_ptr<pipe> through, std::size_t end, std::string peer) noexcept
      : stream(through->ends[end]), pipe_(std::move(through)), end_(end), peer_(std::move(peer)) {}
  ~memory_stream() override { memory_stream::close(); }

  result<std::size_t> try_read(std::span<std::byte> into) override {
    std::size_t n = 0;
    {
      std::lock_guard guard(pipe_->mutex);
      auto& in = pipe_->flows[end_];
      if (pipe_->closed[end_]) return failure("read from", errc::closed, "it was closed on this side");
      if (pipe_->broken) return failure("read from", errc::io, "Connection reset by peer");
      if (in.size == 0) return in.ended ? result<std::size_t>(std::size_t{0}) : errc::empty;
      n = std::min(into.size(), in.size.load());
      std::memcpy(into.data(), in.bytes.data() + in.begin, n);
      in.begin += n;
      in.size -= n;
      if (in.size == 0) in.bytes.clear(), in.begin = 0;
    }
    pipe_->ends[1 - end_].wake(io_side::writing);
    return n;
  }

  result<std::size_t> try_write(std::span<const std::byte> bytes) override {
    std::size_t n = 0;
    {
      std::lock_guard guard(pipe_->mutex);
      auto& out = pipe_->flows[1 - end_];
      if (pipe_->closed[end_]) return failure("write to", errc::closed, "it was closed on this side");
      if (pipe_->broken) return failure("write to", errc::io, "Connection reset by peer");
      if (pipe_->closed[1 - end_] || out.ended) return failure("write to", errc::io, "Broken pipe");
      n = std::min(bytes.size(), pipe_->capacity - out.size);
      if (n == 0) return bytes.empty() ? result<std::size_t>(std::size_t{0}) : errc::full;
      if (out.begin > pipe_->capacity) {
        out.bytes.erase(out.bytes.begin(), out.bytes.begin() + static_cast<std::ptrdiff_t>(out.begin));
        out.begin = 0;
      }
      out.bytes.insert(out.bytes.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      out.size += n;
    }
    pipe_->ends[1 - end_].wake(io_side::reading);
    return n;
  }

  void shutdown_send() noexcept override {
    {
      std::lock_guard guard(pipe_->mutex);
      pipe_->flows[1 - end_].ended = true;
    }
    pipe_->wake_all();
  }

  void close() noexcept override {
    const auto kept = pipe_; // who is woken may destroy this end, and the other
    {
      std::lock_guard guard(kept->mutex);
      if (kept->closed[end_].exchange(true)) return;
      kept->flows[1 - end_].ended = true;
      if (kept->flows[end_].size != 0) kept->broken = true; // as TCP: what was left unread resets the connection
    }
    kept->wake_all();
  }

  greenroom::peer_state peer_state() const noexcept override {
    std::lock_guard guard(pipe_->mutex);
    if (pipe_->broken) return greenroom::peer_state::broken;
    return pipe_->flows[end_].ended ? greenroom::peer_state::ended : greenroom::peer_state::there;
  }

  void reset() noexcept {
    const auto kept = pipe_; // as in close()
    kept->break_off();
  }
  std::string peer() const override { return peer_; }

private:
  error failure(const char* what, errc code, const char* why) const {
    return {code, fmt::format("cannot {}: {}: {}", what, peer_, why)};
  }

  const std::shared_ptr<pipe> pipe_;
  const std::size_t end_;
  const std::string peer_;
};

/// Connections that wait to be accepted.
struct entrance final : detail::readiness_source {
  bool ready_or_watch_locked(io_side) override { return size != 0 || closed; }

  std::mutex mutex;
  std::deque<std::unique_ptr<stream>> waiting_streams; // guarded by mutex
  std::atomic<std::size_t> size{0};                    // of waiting_streams; set before who waits is woken
  std::atomic<bool> closed{false};
  std::size_t backlog = 0; // constant
};

} // namespace

/// Who listens where. Shared, so that listeners may outlive the transport.
class memory_transport::hub {
public:
  using key = std::pair<std::uint16_t, std::string>;

  explicit hub(std::size_t bytes) : capacity(bytes) {}

  std::shared_ptr<entrance> find_locked(const endpoint& to) {
    for (const auto& host : {to.host, std::string("0.0.0.0"), std::string("::")}) {
      if (const auto it = entrances.find({to.port, host}); it != entrances.end()) return it->second;
    }
    return nullptr;
  }
  std::uint16_t free_port_locked() noexcept {
    const auto taken = [this](std::uint16_t port) {
      const auto it = entrances.lower_bound({port, std::string()});
      return it != entrances.end() && it->first.first == port;
    };
    while (taken(next_port)) next_port = next_port == 65'535 ? 49'152 : next_port + 1;
    return next_port;
  }

  const std::size_t capacity;
  std::mutex mutex;
  std::map<key, std::shared_ptr<entrance>> entrances; // guarded by mutex
  std::uint16_t next_port = 49'152;                   // guarded by mutex; the range of RFC 6335
  std::atomic<std::uint64_t> connections{0};
};

namespace {

class memory_listener final : public listener {
public:
  memory_listener(std::shared_ptr<entrance> at, endpoint shown, std::function<void()> leave)
      : listener(*at), entrance_(std::move(at)), shown_(std::move(shown)), leave_(std::move(leave)) {}
  ~memory_listener() override { memory_listener::close(); }

  result<std::unique_ptr<stream>> try_accept() override {
    std::lock_guard guard(entrance_->mutex);
    if (entrance_->closed) {
      return error(errc::closed, fmt::format("cannot accept at: {}: it was closed on this side", shown_.to_string()));
    }
    if (entrance_->waiting_streams.empty()) return errc::empty;
    auto next = std::move(entrance_->waiting_streams.front());
    entrance_->waiting_streams.pop_front();
    entrance_->size = entrance_->waiting_streams.size();
    return next;
  }

  std::uint16_t port() const noexcept override { return shown_.port; }

  void close() noexcept override {
    std::deque<std::unique_ptr<stream>> refused; // they end outside the lock
    {
      std::lock_guard guard(entrance_->mutex);
      if (entrance_->closed.exchange(true)) return;
      refused.swap(entrance_->waiting_streams);
      entrance_->size = 0;
    }
    leave_();
    for (auto& s : refused) memory_transport::reset(*s);
    entrance_->wake();
  }

private:
  const std::shared_ptr<entrance> entrance_;
  const endpoint shown_;
  const std::function<void()> leave_; // takes it out of the hub
};

} // namespace

memory_transport::memory_transport(std::size_t capacity) : hub_(std::make_shared<hub>(capacity)) {
  if (capacity == 0) throw usage_error("memory_transport: its connections must hold at least 1 byte, not 0");
}

memory_transport::~memory_transport() = default;

result<std::unique_ptr<listener>> memory_transport::listen(const endpoint& at, const listen_options& how) {
  if (how.backlog < 1) {
    return error(errc::invalid_argument,
                 fmt::format("cannot listen: {}: the backlog must be at least 1, not {}", at.to_string(), how.backlog));
  }
  auto made = std::make_shared<entrance>();
  made->backlog = static_cast<std::size_t>(how.backlog);
  std::lock_guard guard(hub_->mutex);
  endpoint where(at.host, at.port != 0 ? at.port : hub_->free_port_locked());
  const hub::key key(where.port, where.host);
  if (!hub_->entrances.emplace(key, made).second) {
    return error(errc::already_exists, fmt::format("cannot listen: {}: Address already in use", where.to_string()));
  }
  auto leave = [weak = std::weak_ptr<hub>(hub_), key] {
    if (const auto all = weak.lock()) {
      std::lock_guard inner(all->mutex);
      all->entrances.erase(key);
    }
  };
  return std::make_unique<memory_listener>(std::move(made), std::move(where), std::move(leave));
}

task<result<std::unique_ptr<stream>>> memory_transport::connect(endpoint to) {
  co_await detail::io_step();
  const auto failure = [&to](const char* why) {
    return error(errc::io, fmt::format("cannot connect: {}: {}", to.to_string(), why));
  };
  std::shared_ptr<entrance> at;
  {
    std::lock_guard guard(hub_->mutex);
    at = hub_->find_locked(to);
  }
  if (!at) co_return failure("Connection refused: nobody listens there");
  auto through = std::make_shared<pipe>(hub_->capacity);
  const auto number = ++hub_->connections;
  {
    std::lock_guard guard(at->mutex);
    if (at->closed) co_return failure("Connection refused: nobody listens there");
    if (at->waiting_streams.size() >= at->backlog) co_return failure("the backlog of who listens there is full");
    at->waiting_streams.push_back(std::make_unique<memory_stream>(through, 1, fmt::format("memory:{}", number)));
    at->size = at->waiting_streams.size();
  }
  at->wake();
  co_return std::unique_ptr<stream>(std::make_unique<memory_stream>(std::move(through), 0, to.to_string()));
}

void memory_transport::reset(stream& one_end) noexcept { static_cast<memory_stream&>(one_end).reset(); }

} // namespace greenroom
