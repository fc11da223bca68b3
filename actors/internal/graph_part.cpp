#include <greenroom/actors/internal/graph_part.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/log.hpp>
#include <greenroom/runtime/mutex.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::internal {
namespace {

using namespace std::chrono_literals;
using detail::crossing_item;

// What the other side says no to may change only when somebody acts: a new program, a new deployment.
constexpr auto pause_after_no = 500ms;

/// The way to an input on another node, for messages M.
template <class M>
class remote_end {
public:
  remote_end(std::shared_ptr<other_node> at, std::string published, actor_system& sys)
      : at_(std::move(at)), published_(std::move(published)), sys_(sys) {}

  /// Gives the address, and waits for the node until there is one. None: the part is closed.
  static task<address<request<M>>> find(std::shared_ptr<remote_end> self) {
    const auto alone = co_await self->looking_up_.lock();
    while (self->to_.closed()) {
      const auto peer = self->at_->peer();
      if (!peer) co_return address<request<M>>();
      auto looking = peer->template lookup<request<M>>(self->published_, {.down = remote_options::when_down::wait});
      auto found = co_await std::move(looking);
      if (found) {
        self->to_ = *std::move(found);
      } else {
        self->complain(found.error());
        if (!found.error().is(errc::unavailable)) co_await sleep_for(pause_after_no);
      }
    }
    co_return self->to_;
  }

  void complain(const error& why) {
    if (at_->note(std::string(why.message())) && !why.is(errc::unavailable))
      sys_.log().warn("nothing crosses to '{}' on node {}: {}", published_, at_->name, why.message());
  }
  void all_is_well() { (void)at_->note({}); }
  void tell_lost(std::size_t items) const noexcept {
    try {
      sys_.log().warn("{} item(s) that were on their way to '{}' on node {} are lost: the part was stopped", items,
                      published_, at_->name);
    } catch (...) { // no memory: then it is not told
    }
  }

private:
  const std::shared_ptr<other_node> at_;
  const std::string published_;
  actor_system& sys_;
  mutex looking_up_;
  address<request<M>> to_; // guarded by looking_up_
};

/// For items: one batch after the other.
class items_out final : public detail::way_out, public std::enable_shared_from_this<items_out> {
public:
  items_out(std::shared_ptr<remote_end<crossing_batch>> end, std::string from, std::uint64_t life, std::uint64_t type)
      : end_(std::move(end)), from_(std::move(from)), life_(life), type_(type) {}

  task<> deliver(std::vector<crossing_item> items) override { return send_all(shared_from_this(), std::move(items)); }
  task<result<std::string>> call(std::string) override { throw usage_error("graph: items are not asked"); }

private:
  /// Here they count as handled; so what is not taken in the end is told.
  struct rest {
    const remote_end<crossing_batch>& end;
    const std::vector<crossing_item>& items;
    ~rest() {
      if (!items.empty()) end.tell_lost(items.size());
    }
  };

  static task<> send_all(std::shared_ptr<items_out> self, std::vector<crossing_item> items) {
    const rest at_the_end{*self->end_, items};
    ++self->number_;
    while (!items.empty()) {
      auto finding = remote_end<crossing_batch>::find(self->end_);
      const auto to = co_await std::move(finding);
      if (!to) co_return;
      crossing_batch batch{self->from_, self->life_, self->number_, self->type_, items};
      const auto taken = co_await ask_until(to, std::move(batch), never);
      if (taken && *taken != 0) {
        self->end_->all_is_well();
        items.erase(items.begin(), items.begin() + std::min<std::ptrdiff_t>(*taken, std::ssize(items)));
        ++self->number_;
        continue;
      }
      if (!taken) self->end_->complain(taken.error());
      if (taken || !taken.error().is(errc::unavailable)) co_await sleep_for(pause_after_no);
    }
  }

  const std::shared_ptr<remote_end<crossing_batch>> end_;
  const std::string from_;
  const std::uint64_t life_;
  const std::uint64_t type_;
  std::uint64_t number_ = 0; // the one caller's
};

/// For requests: each for itself.
class calls_out final : public detail::way_out, public std::enable_shared_from_this<calls_out> {
public:
  calls_out(std::shared_ptr<remote_end<crossing_call>> end, std::uint64_t type) : end_(std::move(end)), type_(type) {}

  task<> deliver(std::vector<crossing_item>) override { throw usage_error("graph: requests are not delivered"); }
  task<result<std::string>> call(std::string bytes) override { return ask(shared_from_this(), std::move(bytes)); }

private:
  static task<result<std::string>> ask(std::shared_ptr<calls_out> self, std::string bytes) {
    auto finding = remote_end<crossing_call>::find(self->end_);
    const auto to = co_await std::move(finding);
    if (!to) co_return error(errc::unavailable, "this part of the graph has ended");
    crossing_call message{self->type_, std::move(bytes)};
    auto answer = co_await ask_until(to, std::move(message), never);
    if (answer) {
      self->end_->all_is_well();
    } else if (answer.error().is(errc::closed) || answer.error().is(errc::type_mismatch)) {
      self->end_->complain(answer.error());
      co_return error(errc::unavailable, std::string(answer.error().message())); // the mailbox here is open
    }
    co_return std::move(answer);
  }

  const std::shared_ptr<remote_end<crossing_call>> end_;
  const std::uint64_t type_;
};

node_setup setup_of(const deployment& where, std::size_t here) {
  const auto& self = where.nodes()[here].node;
  const auto silence = where.detection();
  return {.name = self.name,
          .listen = self.port != 0,
          .host = self.host,
          .port = self.port,
          .heartbeat = silence / 4,
          .detection = silence,
          .tls = self.tls};
}

std::string address_of(const deployed_node& node) {
  return node.port == 0 ? std::string() : endpoint(node.host, node.port).to_string();
}

} // namespace

std::optional<node_peer> other_node::peer() const {
  const std::lock_guard guard(lock_);
  return peer_;
}

void other_node::connect(std::optional<node_peer> peer) {
  const std::lock_guard guard(lock_);
  peer_.swap(peer);
}

bool other_node::note(std::string trouble) {
  const std::lock_guard guard(lock_);
  if (trouble == trouble_) return false;
  trouble_ = std::move(trouble);
  return true;
}

std::string other_node::trouble() const {
  const std::lock_guard guard(lock_);
  return trouble_;
}

graph_part::graph_part(actor_system& sys, const deployment& where, std::size_t here)
    : sys_(sys), where_(where), here_(here), node_(std::make_unique<node>(sys, setup_of(where, here))) {
  for (const auto& one : where_.nodes()) nodes_.push_back(std::make_shared<other_node>(one.node.name));
}

result<void> graph_part::start() {
  if (auto started = node_->start(); !started) return started; // first, as it reads the certificates
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& one = where_.nodes()[i].node;
    if (i != here_ && one.port != 0) nodes_[i]->connect(node_->connect(one.host, one.port, one.name));
  }
  return {};
}

void graph_part::close() noexcept {
  for (const auto& each : nodes_) each->connect(std::nullopt);
  node_.reset();
}

std::shared_ptr<detail::way_out> graph_part::way_to(std::size_t place, const std::string& published,
                                                    const detail::crossing_kind& kind) {
  const auto& to = nodes_[place];
  const auto type = kind.type().fingerprint;
  if (kind.ask != nullptr) {
    auto end = std::make_shared<remote_end<crossing_call>>(to, published, sys_);
    return std::make_shared<calls_out>(std::move(end), type);
  }
  auto end = std::make_shared<remote_end<crossing_batch>>(to, published, sys_);
  const auto life = static_cast<std::uint64_t>(sys_.wall_now().time_since_epoch().count());
  return std::make_shared<items_out>(std::move(end), name_of(here_), life, type);
}

result<std::shared_ptr<way_in>> graph_part::way_from(const std::string& published, const std::string& input,
                                                     const detail::crossing_kind& kind) {
  auto way = std::make_shared<way_in>(input, kind);
  const auto done =
      kind.ask != nullptr ? node_->publish(published, way->to_asked) : node_->publish(published, way->to_batches);
  if (!done) return done.error();
  takes_ = true;
  return way;
}

std::vector<place_look> graph_part::look() const {
  auto all = look_of(where_);
  for (std::size_t i = 0; i < all.size(); ++i) {
    using condition = place_look::condition;
    const auto peer = nodes_[i]->peer();
    all[i].state = i == here_                        ? condition::here
                   : !peer                           ? condition::unknown
                   : peer->state() == link_state::up ? condition::up
                                                     : condition::down;
    all[i].trouble = nodes_[i]->trouble();
  }
  return all;
}

std::vector<place_look> look_of(const deployment& where) {
  std::vector<place_look> all;
  for (const auto& one : where.nodes()) all.push_back({one.node.name, address_of(one.node)});
  return all;
}

} // namespace greenroom::internal
