#include <greenroom/tools/greenroom/load_run.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <ctime>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/scope.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/wait_group.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/tools/greenroom/load_answer.hpp>

namespace load {

using namespace greenroom;

const char* name_of(load_fault why) noexcept {
  static constexpr const char* names[load_faults] = {"no connection", "timed out", "broken", "malformed"};
  return names[static_cast<std::size_t>(why)];
}

void load_tally::merge(const load_tally& other) {
  response.merge(other.response);
  service.merge(other.service);
  lateness.merge(other.lateness);
  course.merge(other.course);
  for (auto member : {&load_tally::due, &load_tally::answered, &load_tally::failed, &load_tally::unsent,
                      &load_tally::cut_off, &load_tally::answered_in_time, &load_tally::queued, &load_tally::warm_up,
                      &load_tally::connects, &load_tally::reconnects, &load_tally::bytes_in})
    this->*member += other.*member;
  for (std::size_t i = 0; i < statuses.size(); ++i) statuses[i] += other.statuses[i];
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (faults[i].times == 0) faults[i].first = other.faults[i].first;
    faults[i].times += other.faults[i].times;
  }
  all_busy += other.all_busy;
  all_busy_cpu += other.all_busy_cpu;
  lasted = std::max(lasted, other.lasted);
  overrun = overrun || other.overrun;
}

namespace {

/// Returns how long this thread has computed.
duration cpu_time() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + duration(t.tv_nsec);
}

/// A request between the schedule and a connection.
struct order {
  time_point due;
  bool counts = true; // not of the warm-up
};

/// One share: all its actors run on one worker, so that nothing here needs a lock.
struct share {
  share(const load_plan* p, load_schedule w, load_tally* f)
      : plan(p), when(std::move(w)), found(f), system(this_actor::system()) {}

  const load_plan* plan;
  load_schedule when;
  load_tally* found;
  actor_system& system;
  mailbox<order> queue{unbounded()}; // a bound would hold up the schedule; what it can grow to is rate times length
  address<order> to_queue = queue.address();
  time_point begin = never; // of the schedule
  time_point end = never;
  wait_group connecting;
  std::size_t under_way = 0;     // orders that are queued or in hand
  time_point busy_since = never; // since when no connection is free, as the schedule has seen it
  duration cpu_at_busy{0};
  bool rests = false;                                // the schedule, until
  mailbox<char> freed{bounded(1, overflow::reject)}; // a connection is free
  address<char> to_freed = freed.address();
  std::optional<error> first_failure;

  bool is_all_busy() const noexcept { return under_way >= plan->connections; }
  void finish_one() {
    --under_way;
    if (rests && !is_all_busy()) (void)to_freed.try_send(0);
  }
  void note_business(time_point now, bool busy) noexcept {
    if (busy == (busy_since != never)) return;
    if (busy) {
      busy_since = now;
      cpu_at_busy = cpu_time();
    } else {
      found->all_busy += now - std::exchange(busy_since, never);
      found->all_busy_cpu += cpu_time() - cpu_at_busy;
    }
  }
  void note_due(const order& o, time_point now) {
    note_business(now, is_all_busy());
    if (!o.counts) {
      ++found->warm_up;
      return;
    }
    ++found->due;
    // One that has to wait for a connection loses nothing by a schedule that was asleep.
    const auto late = now - o.due - (is_all_busy() ? plan->watchful : duration::zero());
    found->lateness.record(late);
    if (is_all_busy()) ++found->queued;
  }
  /// The time that a request has taken, or waited in vain.
  void note_response(const order& o, time_point now) {
    if (!o.counts) return;
    const auto took = now - o.due;
    found->response.record(took);
    const auto& shape = when.shape();
    found->course.record(o.due - begin - shape.warm_up, shape.measured, took);
  }
  void note_answer(const order& o, time_point sent, time_point now, int status) {
    note_response(o, now);
    if (now >= begin + when.shape().warm_up && now < end) ++found->answered_in_time;
    if (!o.counts) return;
    found->service.record(now - sent);
    ++found->answered;
    ++found->statuses[static_cast<std::size_t>(status)];
  }
  void note_fault(const order& o, load_fault why, std::string_view text, time_point now) {
    if (!o.counts) return;
    // What fails at once would make a server that refuses look fast.
    if (why == load_fault::timed_out) note_response(o, now);
    ++found->failed;
    auto& f = found->faults[static_cast<std::size_t>(why)];
    if (f.times++ == 0) f.first = text;
  }
};

/// An order in hand: whoever is cancelled meanwhile has it counted as cut off.
class in_hand {
public:
  in_hand(share* of, order what) noexcept : of_(of), what_(what) {}
  in_hand(const in_hand&) = delete;
  in_hand& operator=(const in_hand&) = delete;
  ~in_hand() {
    of_->finish_one();
    if (done_ || !what_.counts) return;
    ++of_->found->cut_off;
    of_->note_response(what_, of_->system.now());
  }
  const order& settle() noexcept {
    done_ = true;
    return what_;
  }

private:
  share* of_;
  order what_;
  bool done_ = false;
};

// -- one connection ---------------------------------------------------------------------------------------------------

struct connection {
  explicit connection(share* s) : of(s) {}
  share* of;
  std::unique_ptr<stream> io; // null: there is none
  answer_reader answer;
  std::array<std::byte, 16'384> part{};
};

struct failure {
  failure(load_fault k, std::string t) : kind(k), text(std::move(t)) {}
  load_fault kind;
  std::string text;
};

task<result<std::unique_ptr<stream>>> dial(const load_plan* plan) {
  auto connecting = this_actor::system().net().connect(plan->to);
  auto made = co_await std::move(connecting);
  if (!made || plan->tls == nullptr) co_return made;
  auto securing = plan->tls->connect(*std::move(made), plan->to.host);
  co_return co_await std::move(securing);
}

task<result<void>> connect(connection* c, time_point deadline) {
  auto dialing = dial(c->of->plan);
  auto limited = with_deadline(deadline, std::move(dialing));
  auto made = co_await std::move(limited);
  if (!made) co_return made.error();
  c->io = *std::move(made);
  ++c->of->found->connects;
  co_return result<void>();
}

task<std::optional<failure>> write_request(connection* c, time_point deadline) {
  auto left = std::as_bytes(std::span(c->of->plan->bytes));
  while (!left.empty()) {
    const auto put = c->io->try_write(left);
    if (put) {
      left = left.subspan(*put);
    } else if (put.error().is(errc::full)) {
      const bool in_time = co_await c->io->writable_until(deadline);
      if (!in_time) co_return failure(load_fault::timed_out, "the server took no more of the request");
    } else {
      co_return failure(load_fault::broken, std::string(put.error().message()));
    }
  }
  co_return std::nullopt;
}

task<std::optional<failure>> read_answer(connection* c, time_point deadline) {
  c->answer.begin(c->of->plan->to_head);
  for (;;) {
    const auto got = c->io->try_read(c->part);
    if (!got && got.error().is(errc::empty)) {
      const bool in_time = co_await c->io->readable_until(deadline);
      if (!in_time) co_return failure(load_fault::timed_out, "no answer in time");
      continue;
    }
    if (!got) co_return failure(load_fault::broken, std::string(got.error().message()));
    c->of->found->bytes_in += *got;
    const std::string_view bytes(reinterpret_cast<const char*>(c->part.data()), *got);
    const auto at = *got == 0 ? c->answer.end_of_input() : c->answer.take(bytes);
    if (at == answer_reader::state::complete) co_return std::nullopt;
    if (at == answer_reader::state::malformed && *got == 0)
      co_return failure(load_fault::broken, "the server closed the connection before the answer was complete");
    if (at == answer_reader::state::malformed)
      co_return failure(load_fault::malformed, "what came is no answer of HTTP/1.1");
  }
}

/// Sends the request over the connection that is there, or a new one, and reads the answer.
task<std::optional<failure>> exchange(connection* c, time_point deadline) {
  for (;;) {
    const bool reused = c->io != nullptr;
    if (!reused) {
      auto connecting = connect(c, deadline);
      const auto made = co_await std::move(connecting);
      if (!made) co_return failure(load_fault::no_connection, std::string(made.error().message()));
    }
    auto writing = write_request(c, deadline);
    auto failed = co_await std::move(writing);
    const bool begun = !failed;
    if (begun) {
      auto reading = read_answer(c, deadline);
      failed = co_await std::move(reading);
    }
    if (!failed) co_return failed;
    c->io.reset();
    const bool stale = reused && failed->kind == load_fault::broken && !(begun && c->answer.begun());
    if (!stale) co_return failed;
    ++c->of->found->reconnects; // the server had closed it while it was idle, as servers may
  }
}

task<> serve(connection* c, order next) {
  auto& s = *c->of;
  in_hand held(&s, next);
  const auto sent = s.system.now();
  auto exchanging = exchange(c, sent + s.plan->time_out);
  const auto failed = co_await std::move(exchanging);
  const auto now = s.system.now();
  if (failed) {
    s.note_fault(held.settle(), failed->kind, failed->text, now);
  } else {
    s.note_answer(held.settle(), sent, now, c->answer.status());
    if (!c->answer.keeps_open()) c->io.reset();
  }
}

task<> keep_connection(share* s) {
  const auto c = std::make_unique<connection>(s);
  auto connecting = connect(c.get(), s->system.now() + s->plan->time_out);
  const auto made = co_await std::move(connecting);
  if (!made && !s->first_failure) s->first_failure = made.error();
  s->connecting.done();
  for (;;) {
    const auto next = co_await s->queue.receive();
    if (!next) co_return;
    auto serving = serve(c.get(), *next);
    co_await std::move(serving);
  }
}

// -- the schedule -----------------------------------------------------------------------------------------------------

/// While no connection is free there is nothing to be in time for: it sleeps, and leaves the processor to who has work.
task<> wait_until(share* s, time_point due) {
  while (due > s->system.now()) {
    if (s->is_all_busy()) {
      s->rests = true;
      const auto woken = co_await s->freed.receive_until(due);
      s->rests = false;
      (void)woken;
    } else if (due - s->system.now() > s->plan->watchful) {
      co_await sleep_until(due - s->plan->watchful);
    } else {
      co_await yield();
    }
  }
}

task<> keep_schedule(share* s) {
  for (;;) {
    const auto offset = s->when.next();
    if (!offset) break;
    const order next{s->begin + *offset, *offset >= s->when.shape().warm_up};
    auto waiting = wait_until(s, next.due);
    co_await std::move(waiting);
    if (s->queue.size_approx() >= s->plan->most_waiting) {
      s->found->overrun = true;
      s->end = s->system.now();
      break;
    }
    s->note_due(next, s->system.now());
    ++s->under_way;
    (void)s->to_queue.try_send(next);
  }
  auto waiting = wait_until(s, s->end);
  co_await std::move(waiting);
}

/// Counts what is queued and will not be sent.
void give_up_queue(share& s) {
  const auto now = s.system.now();
  for (;;) {
    const auto left = s.queue.try_receive();
    if (!left) break;
    --s.under_way;
    if (!left->counts) continue;
    ++s.found->unsent;
    s.note_response(*left, now);
  }
  s.queue.close();
}

/// How long what is queued at the end may still be sent: a server that stood still in the last moments has it counted, and one that does not
/// keep up does not prolong the run by much.
duration patience(const share& s) {
  return std::min<duration>(s.plan->time_out,
                            std::max<duration>(s.when.shape().measured / 10, std::chrono::seconds(1)));
}

/// Starts the connections; the schedule begins when all of them have connected, or failed to.
task<> run_share(scope& all, share* s) {
  s->connecting.add(static_cast<std::int64_t>(s->plan->connections));
  for (std::size_t i = 0; i < s->plan->connections; ++i) all.spawn({.name = "connection"}, keep_connection, s);
  co_await s->connecting.wait();
  if (s->found->connects != 0) {
    s->begin = s->system.now();
    s->end = s->begin + s->when.shape().total();
    auto keeping = keep_schedule(s);
    co_await std::move(keeping);
    s->note_business(s->system.now(), false);
    // What is queued may still be sent for a while: in a run that kept up it is a request or two.
    const auto last = s->end + patience(*s);
    while (s->queue.size_approx() != 0 && s->system.now() < last) co_await sleep_for(std::chrono::milliseconds(1));
  }
  give_up_queue(*s); // the connections end when they have the answers to what they have sent
}

/// Makes the tally whole, however the run has ended.
struct end_of_run {
  explicit end_of_run(share& s) : of(s) {}
  end_of_run(const end_of_run&) = delete;
  end_of_run& operator=(const end_of_run&) = delete;
  ~end_of_run() {
    give_up_queue(of);
    const auto& shape = of.when.shape();
    if (of.begin == never) return;
    const auto since = std::min(of.system.now(), of.end) - of.begin - shape.warm_up;
    of.found->lasted = std::clamp<duration>(since, duration::zero(), shape.measured);
    of.found->course.cover(of.found->lasted - duration(1), shape.measured);
  }
  share& of;
};

} // namespace

task<result<void>> generate(const load_plan* plan, load_schedule when, load_tally* found) {
  const auto s = std::make_unique<share>(plan, std::move(when), found);
  const end_of_run whole(*s);
  auto running = with_scope(run_share, s.get());
  const auto done = co_await std::move(running);
  if (!done) co_return done.error();
  if (found->connects == 0) co_return *s->first_failure;
  co_return result<void>();
}

} // namespace load
