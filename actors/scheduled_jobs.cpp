// The actor behind scheduled_jobs: it waits for calls, ends of runs and the time, has the table decide, writes that down, and does it.
#include <greenroom/actors/scheduled_jobs.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/internal/job_table.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {

namespace detail {
job_work::~job_work() = default;
} // namespace detail

namespace {

using namespace std::chrono_literals;
using namespace detail;
using internal::job_changes;
using internal::job_end;
using internal::job_start;
using internal::job_store;
using internal::job_table;
using internal::moment;

struct outcome_name {
  run_outcome outcome;
  const char* name;
};
constexpr outcome_name outcome_names[] = {
    {run_outcome::running, "running"},     {run_outcome::succeeded, "succeeded"},
    {run_outcome::failed, "failed"},       {run_outcome::timed_out, "timed_out"},
    {run_outcome::cancelled, "cancelled"}, {run_outcome::interrupted, "interrupted"}};

/// The names that are taken, so that add() can say so at once.
class name_set {
public:
  bool take(const std::string& name) {
    std::lock_guard guard(mutex_);
    return names_.insert(name).second;
  }
  void free(const std::string& name) {
    std::lock_guard guard(mutex_);
    names_.erase(name);
  }

private:
  std::mutex mutex_;
  std::set<std::string> names_; // guarded by mutex_
};

/// Tells the end of its run, whatever it is.
class run_report {
public:
  run_report(job_end end, address<job_end> to) : end_(std::move(end)), to_(std::move(to)) {}
  run_report(run_report&&) noexcept = default;
  run_report& operator=(run_report&&) = delete;
  ~run_report() {
    if (to_) tell(run_outcome::failed, "it was killed");
  }
  void tell(run_outcome outcome, std::string why) {
    end_.outcome = outcome;
    end_.error = std::move(why);
    (void)std::exchange(to_, {}).try_send(std::move(end_));
  }

private:
  job_end end_;
  address<job_end> to_;
};

task<> run_job(std::shared_ptr<job_work> work, duration limit, run_report report) {
  auto outcome = run_outcome::succeeded;
  std::string why;
  try {
    auto body = work->begin();
    const auto done = co_await std::move(body);
    if (!done) {
      outcome = run_outcome::failed;
      why = done.error().message();
    }
  } catch (const cancelled& c) {
    const bool late = c.cause.is(errc::timed_out);
    outcome = late ? run_outcome::timed_out : run_outcome::cancelled;
    why =
        late ? "it took longer than its limit of " + show_duration(std::chrono::floor<std::chrono::milliseconds>(limit))
             : std::string(c.cause.message());
  } catch (const std::exception& e) {
    outcome = run_outcome::failed;
    why = e.what();
  } catch (...) {
    outcome = run_outcome::failed;
    why = "an exception that is no std::exception";
  }
  report.tell(outcome, std::move(why));
}

std::uint64_t seed() noexcept { return (std::uint64_t{random_below(UINT32_MAX)} << 32) + random_below(UINT32_MAX); }

/// What is answered when the disk has it.
using promised = std::pair<request<order_job>, result<job_info>>;

class job_keeper {
public:
  job_keeper(mailbox<job_call> calls, std::shared_ptr<name_set> names, jobs_options how,
             std::unique_ptr<job_store> store, std::vector<internal::kept_job> kept)
      : calls_(std::move(calls)),
        names_(std::move(names)),
        how_(how),
        store_(std::move(store)),
        system_(this_actor::system()),
        table_(std::move(kept), seed()) {}

  task<> run() {
    std::exception_ptr why;
    try {
      co_await serve();
    } catch (const cancelled&) {
      why = std::current_exception();
    }
    table_.stop();
    auto end = finish();
    co_await shielded(duration::max(), std::move(end));
    if (why) std::rethrow_exception(why);
  }

private:
  moment now() const { return {system_.now(), system_.wall_now()}; }

  task<> serve() {
    for (;;) {
      table_.look(now());
      co_await settle();
      const auto until = table_.next_look(now(), how_.look_at_clock);
      auto came = co_await select(calls_.receive(), ends_.in.receive(), at(until));
      if (came.index() == 0) {
        auto call = std::move(came.get<0>());
        if (!call) co_return; // the last handle is gone
        answer(*std::move(call));
      } else if (came.index() == 1) {
        take_end(*came.get<1>());
      }
    }
  }

  /// Waits until all runs have unwound, then closes the file.
  task<> finish() {
    co_await settle();
    while (table_.running() != 0) {
      const auto end = co_await ends_.in.receive();
      take_end(*end);
      co_await settle();
    }
    if (store_ != nullptr) co_await blocking([](std::unique_ptr<job_store>* s) { s->reset(); }, &store_);
  }

  /// Writes down what has been decided, then does it.
  task<> settle() {
    if (store_ != nullptr) {
      auto changes = table_.take_changes(now());
      if (!changes.empty()) co_await write(std::move(changes));
    }
    for (auto& run : table_.take_starts()) start(std::move(run));
    for (auto& [asked, given] : std::exchange(promises_, {})) asked.reply(std::move(given));
    for (const auto& name : table_.take_free_names()) names_->free(name);
  }

  task<> write(job_changes changes) {
    result<void> saved = errc::cancelled;
    try {
      saved = co_await blocking(&job_store::save, store_.get(), changes);
    } catch (const cancelled&) {
      table_.not_written(std::move(changes)); // not tried: the end of the actor does it
      throw;
    }
    if (saved) co_return;
    system_.log().error("the state of the scheduled jobs could not be written: {}", saved.error().message());
    table_.not_written(std::move(changes));
    table_.refuse_starts(saved.error(), now());
    for (auto& [asked, given] : promises_) given = saved.error();
  }

  void start(job_start run) {
    auto [ctx, cancel] = this_actor::context().without_cancel().with_cancel();
    spawn_options as{.made_name = "job " + run.name, .ctx = ctx};
    if (run.limit != duration::max()) as.ctx = ctx.with_timeout(run.limit);
    table_.started(run, cancel);
    run_report report({run.name, run.number}, ends_.out);
    spawn(as, run_job, std::move(run.work), run.limit, std::move(report));
  }

  void take_end(const job_end& end) {
    if (system_.stopping()) table_.stop(); // nothing more can begin
    if (!table_.ended(end, now())) return;
    if (end.outcome == run_outcome::failed || end.outcome == run_outcome::timed_out)
      system_.log().warn("run {} of the job '{}' {}: {}", end.number, end.name, to_string(end.outcome), end.error);
  }

  void answer(job_call call) {
    if (auto* const added = std::get_if<add_job>(&call)) {
      table_.add(std::move(added->spec), std::move(added->work), now());
    } else if (auto* const list = std::get_if<request<list_jobs>>(&call)) {
      list->reply(table_.list(now()));
    } else if (auto* const look = std::get_if<request<look_at_job>>(&call)) {
      look->reply(table_.info(look->message.name, now()));
    } else {
      auto& asked = std::get<request<order_job>>(call);
      auto given = table_.order(asked.message.name, asked.message.what, now());
      promises_.emplace_back(std::move(asked), std::move(given));
    }
  }

  const mailbox<job_call> calls_;
  // Unbounded: a run must not wait to end, and there is one for each job.
  const mailbox_ends<job_end> ends_ = make_mailbox<job_end>(unbounded());
  const std::shared_ptr<name_set> names_;
  const jobs_options how_;
  std::unique_ptr<job_store> store_; // null: in memory
  const actor_system& system_;
  job_table table_;
  std::vector<promised> promises_;
};

task<> keep_jobs(mailbox<job_call> calls, std::shared_ptr<name_set> names, jobs_options how,
                 std::unique_ptr<job_store> store, std::vector<internal::kept_job> kept) {
  const auto keeper =
      std::make_unique<job_keeper>(std::move(calls), std::move(names), how, std::move(store), std::move(kept));
  co_await keeper->run();
}

template <class M>
task<result<typename M::reply>> ask_keeper(address<job_call> to, M message) {
  co_return co_await ask(to, std::move(message), 5s);
}

} // namespace

const char* to_string(run_outcome outcome) noexcept {
  for (const auto& each : outcome_names) {
    if (each.outcome == outcome) return each.name;
  }
  return "unknown";
}

std::optional<run_outcome> parse_run_outcome(std::string_view name) noexcept {
  for (const auto& each : outcome_names) {
    if (each.name == name) return each.outcome;
  }
  return std::nullopt;
}

struct scheduled_jobs::core {
  address<job_call> to;
  std::shared_ptr<name_set> names;
  actor self;

  static std::shared_ptr<const core> start(actor_system& sys, jobs_options how, std::unique_ptr<job_store> store,
                                           std::vector<internal::kept_job> kept, std::source_location where) {
    // Unbounded: add() must not wait, and who asks waits for the answer.
    auto [in, out] = make_mailbox<job_call>(unbounded());
    auto made = std::make_shared<core>();
    made->to = std::move(out);
    made->names = std::make_shared<name_set>();
    made->self = sys.spawn({.name = "scheduled jobs"}, {keep_jobs, where}, std::move(in), made->names, how,
                           std::move(store), std::move(kept));
    return made;
  }
};

scheduled_jobs::scheduled_jobs(actor_system& sys, jobs_options how, std::source_location where)
    : core_(core::start(sys, how, nullptr, {}, where)) {}

result<scheduled_jobs> scheduled_jobs::open(actor_system& sys, const std::filesystem::path& file, jobs_options how,
                                            const std::string& vfs, std::source_location where) {
  auto store = job_store::open(file.native(), vfs);
  if (!store) return store.error();
  auto kept = (*store)->load();
  if (!kept) return kept.error();
  return scheduled_jobs(core::start(sys, how, *std::move(store), *std::move(kept), where));
}

result<void> scheduled_jobs::add_work(job_spec spec, std::shared_ptr<job_work> work) const {
  if (auto good = internal::check_job(spec); !good) return good;
  const auto name = spec.name;
  if (!core_->names->take(name))
    return error(errc::already_exists, fmt::format("cannot add the job '{}': there is one of that name", name));
  const auto sent = core_->to.try_send(add_job{std::move(spec), std::move(work)});
  if (sent) return {};
  core_->names->free(name);
  return error(sent.error().code(), fmt::format("cannot add the job '{}': the jobs are stopped", name));
}

task<result<std::vector<job_info>>> scheduled_jobs::list() const { return ask_keeper(core_->to, list_jobs{}); }
task<result<job_info>> scheduled_jobs::look(std::string name) const {
  return ask_keeper(core_->to, look_at_job{std::move(name)});
}
task<result<job_info>> scheduled_jobs::run_now(std::string name) const {
  return ask_keeper(core_->to, order_job{std::move(name), job_order::run_now});
}
task<result<job_info>> scheduled_jobs::pause(std::string name) const {
  return ask_keeper(core_->to, order_job{std::move(name), job_order::pause});
}
task<result<job_info>> scheduled_jobs::resume(std::string name) const {
  return ask_keeper(core_->to, order_job{std::move(name), job_order::resume});
}
task<result<job_info>> scheduled_jobs::cancel(std::string name) const {
  return ask_keeper(core_->to, order_job{std::move(name), job_order::cancel});
}
task<result<job_info>> scheduled_jobs::remove(std::string name) const {
  return ask_keeper(core_->to, order_job{std::move(name), job_order::remove});
}

void scheduled_jobs::stop() const { core_->to.close(); }
const actor& scheduled_jobs::self() const noexcept { return core_->self; }

} // namespace greenroom
