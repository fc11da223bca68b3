#include <greenroom/testkit/internal/faulty_network.hpp>

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <greenroom/testkit/internal/faulty_link.hpp>

namespace greenroom::testkit::internal {
namespace {

class faulty_stream final : public stream {
public:
  faulty_stream(std::shared_ptr<faulty_link> through, std::size_t end) noexcept
      : stream(through->ends[end]), link_(std::move(through)), end_(end) {}
  ~faulty_stream() override { faulty_stream::close(); }

  result<std::size_t> try_read(std::span<std::byte> into) override { return link_->try_read(end_, into); }
  result<std::size_t> try_write(std::span<const std::byte> bytes) override { return link_->try_write(end_, bytes); }
  void shutdown_send() noexcept override { link_->shutdown_send(end_); }
  void close() noexcept override { link_->close(end_); }
  std::string peer() const override { return link_->peer(end_); }

private:
  const std::shared_ptr<faulty_link> link_;
  const std::size_t end_;
};

/// The connections that wait to be accepted, in the order in which the listener within has them too.
struct entrance final : greenroom::detail::readiness_source {
  bool ready_or_watch_locked(greenroom::detail::io_side) override { return size != 0 || closed; }

  std::mutex mutex;
  std::deque<std::shared_ptr<faulty_link>> waiting_links; // guarded by mutex
  std::atomic<std::size_t> size{0};                       // of waiting_links; set before who waits is woken
  std::atomic<bool> closed{false};
};

} // namespace

/// Who listens where. Shared, so that listeners may outlive the network.
class faulty_network::registry {
public:
  using key = std::pair<std::uint16_t, std::string>;

  void add(const key& where, std::shared_ptr<entrance> at) {
    std::lock_guard guard(mutex_);
    all_[where] = std::move(at);
  }
  void drop(const key& where) {
    std::lock_guard guard(mutex_);
    all_.erase(where);
  }
  /// The one that memory_transport connects to as well.
  std::shared_ptr<entrance> find(const endpoint& to) {
    std::lock_guard guard(mutex_);
    for (const auto& host : {to.host, std::string("0.0.0.0"), std::string("::")}) {
      if (const auto it = all_.find({to.port, host}); it != all_.end()) return it->second;
    }
    return nullptr;
  }

private:
  std::mutex mutex_;
  std::map<key, std::shared_ptr<entrance>> all_; // guarded by mutex_
};

namespace {

class faulty_listener final : public listener {
public:
  faulty_listener(std::unique_ptr<listener> inner, std::shared_ptr<entrance> at, std::function<void()> leave)
      : listener(*at), inner_(std::move(inner)), entrance_(std::move(at)), leave_(std::move(leave)) {}
  ~faulty_listener() override { faulty_listener::close(); }

  result<std::unique_ptr<stream>> try_accept() override {
    std::lock_guard guard(entrance_->mutex);
    auto next = inner_->try_accept();
    if (!next) return next;
    const auto link = std::move(entrance_->waiting_links.front());
    entrance_->waiting_links.pop_front();
    entrance_->size = entrance_->waiting_links.size();
    link->accepted(*std::move(next));
    return std::unique_ptr<stream>(std::make_unique<faulty_stream>(link, 1));
  }

  std::uint16_t port() const noexcept override { return inner_->port(); }

  void close() noexcept override {
    std::deque<std::shared_ptr<faulty_link>> refused; // they learn it outside the lock
    {
      std::lock_guard guard(entrance_->mutex);
      if (entrance_->closed.exchange(true)) return;
      inner_->close();
      refused.swap(entrance_->waiting_links);
      entrance_->size = 0;
    }
    leave_();
    for (const auto& link : refused) link->turned_away();
    entrance_->wake();
  }

private:
  const std::unique_ptr<listener> inner_;
  const std::shared_ptr<entrance> entrance_;
  const std::function<void()> leave_; // takes it out of the registry
};

error cannot_connect(const endpoint& to, const char* why) {
  return {errc::io, fmt::format("cannot connect: {}: {}", to.to_string(), why)};
}

} // namespace

faulty_network::faulty_network(std::shared_ptr<fault_source> faults)
    : faults_(std::move(faults)), inner_(faulty_link::capacity), listening_(std::make_shared<registry>()) {}
faulty_network::~faulty_network() = default;

result<std::unique_ptr<listener>> faulty_network::listen(const endpoint& at, const listen_options& how) {
  auto inner = inner_.listen(at, how);
  if (!inner) return inner;
  const registry::key key((*inner)->port(), at.host);
  auto made = std::make_shared<entrance>();
  listening_->add(key, made);
  auto leave = [weak = std::weak_ptr<registry>(listening_), key] {
    if (const auto all = weak.lock()) all->drop(key);
  };
  return std::unique_ptr<listener>(
      std::make_unique<faulty_listener>(*std::move(inner), std::move(made), std::move(leave)));
}

task<result<std::unique_ptr<stream>>> faulty_network::connect(endpoint to) {
  const auto number = faults_->next_connection();
  if (faults_->happens(draw::refused, faults_->plan().network.refused, number)) {
    co_await greenroom::detail::io_step();
    faults_->note(fmt::format("connection {} to {} refused", number, to.to_string()));
    co_return cannot_connect(to, "Connection refused");
  }
  auto made = co_await inner_.connect(to);
  // From its last wait, within, up to here it is one turn: nobody has accepted or closed meanwhile.
  if (!made) co_return made;
  const auto at = listening_->find(to);
  if (!at) co_return cannot_connect(to, "Connection refused: nobody listens there");
  const auto link = std::make_shared<faulty_link>(faults_, number, to.to_string());
  link->start(*std::move(made));
  {
    std::lock_guard guard(at->mutex);
    at->waiting_links.push_back(link);
    at->size = at->waiting_links.size();
  }
  at->wake();
  co_return std::unique_ptr<stream>(std::make_unique<faulty_stream>(link, 0));
}

} // namespace greenroom::testkit::internal
