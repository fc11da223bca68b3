// node_faults bank: accounts and a queue, whose books are in a file before anybody is answered, and receivers of numbered streams, one of them slow.
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tools/acceptance/node_faults/types.hpp>

using namespace greenroom;

namespace node_faults {
namespace {

/// What the bank knows, and where it is written down. A kill of the process loses nothing that was written: the kernel has it.
class books {
public:
  explicit books(const std::string& path) {
    for (int n = 0; n < 8; ++n) balances_["account " + std::to_string(n)] = 100'000;
    std::ifstream old(path);
    for (std::string line; std::getline(old, line);) repeat(line);
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  books(const books&) = delete;
  books& operator=(const books&) = delete;
  ~books() { ::close(fd_); }

  result<std::int64_t> move(const transfer& t) {
    const std::lock_guard guard(lock_);
    if (balances_[t.from] < t.cents) return error(errc::invalid_argument, "there is not enough");
    note(fmt::format("transfer\t{}\t{}\t{}\t{}\n", t.id, t.from, t.to, t.cents));
    balances_[t.to] += t.cents;
    return balances_[t.from] -= t.cents;
  }
  std::map<std::string, std::int64_t> read() const {
    const std::lock_guard guard(lock_);
    return balances_;
  }
  std::uint64_t put_in(const put& item) {
    const std::lock_guard guard(lock_);
    note(fmt::format("put\t{}\n", item.id));
    queue_.push_back(item.id);
    return queue_.size();
  }
  std::string take_out(const take& t) {
    const std::lock_guard guard(lock_);
    if (queue_.empty()) return "";
    auto item = std::move(queue_.front());
    queue_.pop_front();
    note(fmt::format("take\t{}\t{}\n", t.id, item));
    return item;
  }

private:
  void note(const std::string& line) const {
    if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  }
  void repeat(const std::string& line) {
    std::istringstream in(line);
    std::string what, id, a, b, cents;
    std::getline(in, what, '\t');
    std::getline(in, id, '\t');
    if (what == "transfer" && std::getline(in, a, '\t') && std::getline(in, b, '\t') && std::getline(in, cents)) {
      balances_[a] -= std::stoll(cents);
      balances_[b] += std::stoll(cents);
    } else if (what == "put") {
      queue_.push_back(id);
    } else if (what == "take") {
      queue_.pop_front();
    }
  }

  int fd_ = -1;
  mutable std::mutex lock_; // guards the following
  std::map<std::string, std::int64_t> balances_;
  std::deque<std::string> queue_;
};

task<> serve_transfers(mailbox<request<transfer>> in, books* all) {
  while (auto r = co_await in.receive()) r->reply(all->move(r->message));
}
task<> serve_reads(mailbox<request<read_all>> in, books* all) {
  while (auto r = co_await in.receive()) r->reply(all->read());
}
task<> serve_puts(mailbox<request<put>> in, books* all) {
  while (auto r = co_await in.receive()) r->reply(all->put_in(r->message));
}
task<> serve_takes(mailbox<request<take>> in, books* all) {
  while (auto r = co_await in.receive()) r->reply(all->take_out(r->message));
}

/// Takes a stream and prints what came out of order or twice, and now and then how much has come.
task<> follow(mailbox<numbered> in, std::string stream, std::chrono::milliseconds each) {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>
      seen; // of each sender: the last number, and how many came
  auto told = std::chrono::steady_clock::now();
  while (auto item = co_await in.receive()) {
    auto& [last, count] = seen[item->sender];
    if (item->number <= last)
      events().say(fmt::format("\"event\":\"disorder\",\"stream\":{},\"sender\":{},\"last\":{},\"number\":{}",
                               json_text(stream), json_text(item->sender), last, item->number));
    last = item->number;
    ++count;
    if (each > 0ms) co_await sleep_for(each);
    if (std::chrono::steady_clock::now() - told < 250ms) continue;
    told = std::chrono::steady_clock::now();
    for (const auto& [sender, so_far] : seen)
      events().say(fmt::format("\"event\":\"numbers\",\"stream\":{},\"sender\":{},\"last\":{},\"received\":{}",
                               json_text(stream), json_text(sender), so_far.first, so_far.second));
  }
}

template <class T, class... Args>
address<T> publish(actor_system& sys, node& here, const char* name, task<> (*serve)(mailbox<T>, Args...),
                   std::type_identity_t<Args>... args) {
  auto [in, out] = make_mailbox<T>(bounded(64));
  sys.spawn({.made_name = name}, serve, std::move(in), std::move(args)...);
  here.publish(name, out).value();
  return out;
}

} // namespace

int bank(const arguments& args) {
  stop_signal asked;
  books all(args.file);
  actor_system sys(options{.workers = 2, .log_level = "info"});
  auto how = options_of(args);
  how.listen = true;
  how.host = args.host;
  how.port = args.port;
  node here(sys, how);
  const auto transfers = publish<request<transfer>>(sys, here, "transfers", serve_transfers, &all);
  const auto reads = publish<request<read_all>>(sys, here, "reads", serve_reads, &all);
  const auto puts = publish<request<put>>(sys, here, "puts", serve_puts, &all);
  const auto takes = publish<request<take>>(sys, here, "takes", serve_takes, &all);
  const auto fast = publish<numbered>(sys, here, "fast", follow, "fast", 0ms);
  const auto slow = publish<numbered>(sys, here, "slow", follow, "slow", 5ms);
  here.start().value();
  events().say(fmt::format("\"event\":\"listening\",\"port\":{}", here.port()));
  asked.wait();
  return 0;
}

} // namespace node_faults
