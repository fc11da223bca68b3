// The actor behind membership: announces, reads the list, connects, tells.
#include <greenroom/actors/membership.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {
namespace {

using member_list = std::vector<cluster_member>;

/// What the actor and the handles share. Thread safety: any thread.
class member_board {
public:
  explicit member_board(node* here) : has_node_(here != nullptr), here_(here) {}

  member_list list() const {
    const std::lock_guard guard(lock_);
    return list_;
  }
  mailbox<member_list> watch() {
    auto [in, to] = make_mailbox<member_list>(bounded(1, overflow::drop_oldest));
    const std::lock_guard guard(lock_);
    if (ended_) return std::move(in); // which is closed
    (void)to.try_send(list_);
    watchers_.push_back(std::move(to));
    return std::move(in);
  }
  result<node_peer> peer(const std::string& name) const {
    const std::lock_guard guard(lock_);
    if (!has_node_) return error(errc::unsupported, "there is no node here by which members are reached");
    const auto at = peers_.find(name);
    if (at == peers_.end()) return error(errc::not_found, fmt::format("there is no node of a member '{}'", name));
    return at->second.peer;
  }

  /// The list has been read. Returns whether it is another.
  bool take(member_list now, const cluster_member& self, const logger& log) {
    const std::lock_guard guard(lock_);
    for (const auto& each : now) {
      if (each.name != self.name && each.port != 0) connect(each, log);
    }
    forget_who_is_gone(now);
    if (now == list_) return false;
    list_ = std::move(now);
    std::erase_if(watchers_, [this](const auto& to) { return !to.try_send(list_); });
    return true;
  }
  /// Adds who is in the list now to the next one.
  void keep_all_of(member_list& next) const {
    const std::lock_guard guard(lock_);
    const auto by_name = [](const cluster_member& a, const cluster_member& b) { return a.name < b.name; };
    member_list both;
    std::set_union(next.begin(), next.end(), list_.begin(), list_.end(), std::back_inserter(both), by_name);
    next = std::move(both);
  }
  /// The node is not used any more.
  void let_go() {
    const std::lock_guard guard(lock_);
    here_ = nullptr;
  }
  void end() {
    const std::lock_guard guard(lock_);
    ended_ = true;
    watchers_.clear();
  }

private:
  struct connected {
    cluster_member at;
    node_peer peer;
  };

  void connect(const cluster_member& to, const logger& log) {
    const auto known = peers_.find(to.name);
    if (here_ == nullptr || (known != peers_.end() && known->second.at == to)) return;
    try {
      auto peer = here_->connect(to.host, to.port, to.name);
      if (known != peers_.end()) known->second.peer.close(); // nobody is there any more, so it would be tried for ever
      peers_.insert_or_assign(to.name, connected{to, std::move(peer)});
    } catch (const usage_error& e) {
      log.error("the member '{}' at {}:{} cannot be connected to: {}", to.name, to.host, to.port, e.what());
    }
  }

  /// Who is not in the list, but up, stays: the store may be late.
  void forget_who_is_gone(const member_list& now) {
    std::erase_if(peers_, [&now](const auto& known) {
      const auto& [name, there] = known;
      const auto is_it = [&name](const cluster_member& each) { return each.name == name; };
      if (std::any_of(now.begin(), now.end(), is_it) || there.peer.state() == link_state::up) return false;
      there.peer.close();
      return true;
    });
  }

  const bool has_node_;
  mutable std::mutex lock_; // guards the following
  node* here_;
  bool ended_ = false;
  member_list list_;
  std::map<std::string, connected> peers_;
  std::vector<address<member_list>> watchers_;
};

/// What fails again and again is told when it begins, and when it becomes something else.
class trouble {
public:
  bool is_new(const error& why) { return std::exchange(last_, why.code()) != why.code(); }
  /// Returns whether there was any.
  bool over() { return std::exchange(last_, std::nullopt).has_value(); }

private:
  std::optional<errc> last_;
};

class member_keeper {
public:
  member_keeper(mailbox<nothing> stop, std::shared_ptr<cluster_store> store, membership_options how,
                std::shared_ptr<member_board> board)
      : stop_(std::move(stop)),
        store_(std::move(store)),
        how_(std::move(how)),
        board_(std::move(board)),
        system_(this_actor::system()) {}
  ~member_keeper() { board_->end(); }
  member_keeper(const member_keeper&) = delete;
  member_keeper& operator=(const member_keeper&) = delete;

  task<> run() {
    std::exception_ptr why;
    try {
      auto staying = stay();
      co_await std::move(staying);
    } catch (const cancelled&) {
      why = std::current_exception();
    }
    if (!refused_) {
      auto going = store_->withdraw(how_.self);
      const auto gone = co_await shielded(how_.every, std::move(going));
      if (!gone) warn("is not withdrawn, and is gone when its time is over", gone.error());
    }
    if (why) std::rethrow_exception(why);
  }

private:
  task<> stay() {
    for (;;) {
      const auto asked = system_.now();
      auto announcing = store_->announce(how_.self, how_.ttl);
      const auto said = co_await std::move(announcing);
      note(said);
      auto reading = store_->members();
      auto all = co_await std::move(reading);
      if (all) {
        if (reading_.over()) board_->keep_all_of(*all); // they were cut off as this one was, and need a moment
        board_->take(*std::move(all), how_.self, system_.log());
      } else if (reading_.is_new(all.error())) {
        warn("does not know who is there, keeps to what it knew, and asks again", all.error());
      }
      auto s = co_await select(stop_.receive(), at(asked + how_.every));
      if (s.index() == 0) co_return;
    }
  }
  void note(const result<void>& said) {
    refused_ = !said && said.error().is(errc::already_exists);
    if (said) {
      if (announcing_.over()) system_.log().info("the member '{}' is announced", how_.self.name);
      refused_since_ = never;
      return;
    }
    const auto now = system_.now();
    if (announcing_.is_new(said.error())) {
      warn("is not announced, and tries again", said.error());
      refused_since_ = refused_ ? now : never;
    } else if (refused_since_ != never && now - refused_since_ > how_.ttl) {
      refused_since_ = never;
      system_.log().error("the member '{}' is still not announced: one of its former lives would be over, so another "
                          "process has that name: {}",
                          how_.self.name, said.error().message());
    }
  }
  void warn(const char* what, const error& why) {
    system_.log().warn("the member '{}' {}: {}", how_.self.name, what, why.message());
  }

  const mailbox<nothing> stop_; // nothing comes by it; it closes
  const std::shared_ptr<cluster_store> store_;
  const membership_options how_;
  const std::shared_ptr<member_board> board_;
  const actor_system& system_;
  trouble announcing_, reading_;
  bool refused_ = false;             // another has the name, for all that was heard last
  time_point refused_since_ = never; // so long without a word; never: it is not, or this was told
};

task<> keep_member(mailbox<nothing> stop, std::shared_ptr<cluster_store> store, membership_options how,
                   std::shared_ptr<member_board> board) {
  const auto keeper =
      std::make_unique<member_keeper>(std::move(stop), std::move(store), std::move(how), std::move(board));
  auto running = keeper->run();
  co_await std::move(running);
}

} // namespace

struct membership::core {
  core(std::shared_ptr<cluster_store> s, cluster_member self, node* here)
      : store(std::move(s)), who(std::move(self)), board(std::make_shared<member_board>(here)) {}
  core(const core&) = delete;
  core& operator=(const core&) = delete;
  ~core() { board->let_go(); }

  const std::shared_ptr<cluster_store> store;
  const cluster_member who;
  const std::shared_ptr<member_board> board;
  address<nothing> alive;
  actor keeper;
};

membership::membership(actor_system& sys, std::shared_ptr<cluster_store> store, membership_options how, node* here,
                       std::source_location where) {
  if (how.every < std::chrono::milliseconds(1) || how.ttl < 2 * how.every)
    throw usage_error(fmt::format("the member '{}' is announced every {} ns for {} ns: too short for two announcements",
                                  how.self.name, how.every.count(), how.ttl.count()));
  if (here != nullptr && here->name() != how.self.name)
    throw usage_error(
        fmt::format("the member '{}' must be called as its node is, '{}': others look for it by that name",
                    how.self.name, here->name()));
  auto made = std::make_shared<core>(std::move(store), how.self, here);
  auto [stop, alive] = make_mailbox<nothing>(bounded(1));
  made->alive = std::move(alive);
  made->keeper = sys.spawn({.name = "membership"}, {keep_member, where}, std::move(stop), made->store, std::move(how),
                           made->board);
  core_ = std::move(made);
}

std::vector<cluster_member> membership::members() const { return core_->board->list(); }
mailbox<std::vector<cluster_member>> membership::watch() const { return core_->board->watch(); }
result<node_peer> membership::peer(const std::string& name) const { return core_->board->peer(name); }
const cluster_member& membership::self() const noexcept { return core_->who; }
const std::shared_ptr<cluster_store>& membership::store() const noexcept { return core_->store; }
void membership::stop() const {
  core_->board->let_go();
  core_->alive.close();
}
const actor& membership::who() const noexcept { return core_->keeper; }

} // namespace greenroom
