#include <greenroom/runtime/internal/runtime_core.hpp>

#include <algorithm>
#include <future>
#include <unordered_map>
#include <utility>

#include <greenroom/runtime/detail/file_and_line.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/internal/recorder.hpp>
#include <greenroom/runtime/internal/tcp_transport.hpp>
#include <greenroom/runtime/internal/wait_snapshot.hpp>
#include <greenroom/runtime/internal/watch.hpp>
#include <greenroom/runtime/internal/worker.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::detail {
namespace {

constexpr const char* wait_names[] = {"nothing: it runs or is ready",
                                      "its first turn",
                                      "receive",
                                      "send",
                                      "select",
                                      "sleep",
                                      "lock",
                                      "condition",
                                      "wait_group",
                                      "semaphore",
                                      "join",
                                      "reply",
                                      "blocking",
                                      "io",
                                      "turn",
                                      "context",
                                      "join",
                                      "reply",
                                      "monitor"};

options checked(options o) {
  if (auto ok = o.check(); !ok) throw usage_error(std::string(ok.error().message()));
  return o;
}

} // namespace

runtime_core::runtime_core(actor_system& s, options o, environment e)
    : system(&s),
      opts(checked(std::move(o))),
      env(std::move(e)),
      log(env.log ? *env.log : make_logger(opts.name, parse_log_level(opts.log_level).value_or(log_level::info))),
      started_at(env.time->now()),
      asks(opts.workers + 1),
      root(*new context_node(*this, nullptr)),
      living(opts.workers),
      blocking(opts.blocking_threads, opts.blocking_idle),
      seed_(opts.seed != 0 ? opts.seed : random_seed()) {
  if (env.runs_on == nullptr) {
    auto own = std::make_shared<internal::worker_team>(opts.workers);
    team_ = own.get();
    env.runs_on = std::move(own);
  }
  sockets = std::make_unique<internal::tcp_transport>(*this, team_);
  runs_on = env.runs_on.get();
  if (opts.flight_events != 0) {
    flight = std::make_shared<internal::recorder>(*this);
    log = keep_lines(log, flight);
  }
  runs_on->start(*this);
  caf = internal::make_border(team_, env.caf_host);
  caf->start();
  if (team_ == nullptr) return;
  watch = std::make_unique<internal::watch>(*this, *team_);
  team_->set_watch(watch.get());
}

runtime_core::~runtime_core() {
  auto report = stop(opts.stop_limit);
  while (!report.complete()) {
    log.error("{} The destructor of the system waits for them.", report.to_string());
    report = stop(std::chrono::seconds(5));
  }
  if (team_ != nullptr) team_->set_watch(nullptr);
  blocking.stop();
  caf->stop();
  runs_on->stop();
  watch = nullptr; // after the workers, one of which may just be waking it
  if (flight != nullptr) flight->forget_core();
  release(root);
}

std::size_t runtime_core::here() const noexcept {
  if (this_turn.worker == nullptr || this_turn.core != this) return 0;
  return internal::live_actors::place(static_cast<internal::worker*>(this_turn.worker)->index());
}

std::uint64_t runtime_core::next_id() noexcept {
  if (this_turn.worker != nullptr && this_turn.core == this)
    return static_cast<internal::worker*>(this_turn.worker)->next_id();
  std::uint64_t id = 0;
  caf->take_ids({&id, 1});
  return id;
}

const char* runtime_core::intern(const std::string& text) {
  std::lock_guard guard(names_mutex_);
  return names_.insert(text).first->c_str(); // elements of an unordered_set do not move
}

namespace {

/// Owns what was made for an actor until the actor owns it: making it may run out of memory.
struct unlaunched {
  explicit unlaunched(const started& m) noexcept : made(m) {}
  unlaunched(const unlaunched&) = delete;
  unlaunched& operator=(const unlaunched&) = delete;
  ~unlaunched() {
    if (made.root) made.root.destroy();
    detail::destroy_all(made.kept);
    if (cell != nullptr) {
      delete cell->extras.load(std::memory_order_relaxed);
      delete cell;
    }
  }

  started made;
  actor_cell* cell = nullptr;
};

} // namespace

actor runtime_core::launch(const launch_request& request) {
  if (request.made.may_refer && this_turn.cell != nullptr &&
      (request.listener == nullptr || request.listener->parent() != this_turn.cell)) {
    mark_exposed(*this_turn.cell);
  }
  unlaunched owned(request.made);
  auto* const cell = owned.cell = new actor_cell;
  auto& promise = request.made.root.promise();
  cell->refs.store(2, std::memory_order_relaxed); // itself and the handle that is returned
  cell->id = next_id();
  cell->home = this;
  cell->name = "actor";
  cell->site = request.site;
  const auto now = this_turn.core == this ? this_turn.now_ms : milliseconds(env.time->now());
  cell->wait_since.store(now, std::memory_order_relaxed); // nobody else knows the cell yet
  cell->resume_point = request.made.root;
  cell->leaf = &promise;
  cell->listener = request.listener;
  cell->context = &root;
  auto* ctx = request.ctx;
  if (request.options != nullptr) {
    const auto& how = *request.options;
    cell->name = how.made_name.empty() ? how.name.literal() : intern(how.made_name);
    if (ctx == nullptr && request.options->ctx) ctx = &request.options->ctx->node();
  }
  if (request.name != nullptr) cell->name = request.name;
  if (request.made.kept != nullptr) {
    auto& extras =
        extras_of(*cell); // may throw: an assignment would have taken `kept` by then, since its right side comes first
    extras.kept = std::exchange(owned.made.kept, nullptr);
  }
  owned.made.root = nullptr; // nothing below throws
  owned.cell = nullptr;
  if (request.supervised) {
    enter_supervised(*cell, *ctx);
  } else if (ctx != nullptr && !is_root(*ctx)) {
    add_ref(*ctx);
    enter_context(*cell, *ctx);
  }
  if (request.follows_trace && is_traced(this_turn.cell)) [[unlikely]]
    inherit_trace(*cell, *this_turn.cell);
  actor handle(cell, actor::adopt{});
  if (flight != nullptr) flight->note_spawn(*cell);
  if (!living.add(*cell, here())) {
    request.made.root.destroy();
    if (request.made.kept != nullptr) detail::destroy_all(std::exchange(extras_of(*cell).kept, nullptr));
    finish(*cell, {exit_kind::cancelled,
                   error(errc::stopped, "spawn refused: the actor system '" + opts.name + "' is stopping")});
  } else if (this_turn.worker != nullptr && this_turn.core == this && this_turn.cell != nullptr) {
    auto& here = *static_cast<internal::worker*>(this_turn.worker);
    switch (request.first) {
    case launch_request::turn::soon: here.push_spawned(*cell); break;
    case launch_request::turn::in_order: here.push_behind(internal::job(*cell)); break;
    case launch_request::turn::last: here.push_last(internal::job(*cell)); break;
    }
  } else {
    make_ready(*cell);
  }
  return handle;
}

void runtime_core::send_spans_to(std::shared_ptr<span_sink> sink) {
  const std::lock_guard guard(sinks_mutex_);
  auto* const next = sink.get();
  if (sink) sinks_.push_back(std::move(sink));
  spans.store(next, std::memory_order_release);
}

void stop_before_others(const actor& who) { who.cell()->home->stop_before_others(who); }

void runtime_core::tell_of_failure(const actor_cell& cell, const exit_reason& why) noexcept {
  if (!log.enabled(log_level::error)) return;
  const auto before = flight == nullptr ? std::string() : flight->brief(cell.id);
  const auto about = log_origin_of(&cell);
  log.write(log_level::error, "ended by " + std::string(why.why().message()), about);
  if (!before.empty()) log.write(log_level::error, "before that it " + before, about);
}

void runtime_core::finish(actor_cell& cell, exit_reason why) noexcept {
  if (why.kind() == exit_kind::failed) tell_of_failure(cell, why);
  if (has_traced_item(&cell)) [[unlikely]]
    end_trace(cell, why);
  if (cell.context != &root) {
    leave_context(cell);
    detail::release(*std::exchange(cell.context, &root));
  }
  if (flight != nullptr) flight->note_end(cell, why.kind());
  if (!why.normal()) extras_of(cell).reason = why;
  auto* const listener = cell.listener;
  const auto place = here();
  // Before anybody is told, who may count; the core outlives this call, as it joins its workers.
  living.end(cell, place);
  if (auto* extras = cell.extras.load(std::memory_order_seq_cst)) {
    std::vector<std::shared_ptr<exit_listener>> listeners;
    std::shared_ptr<exit_listener> caf_side;
    {
      std::lock_guard guard(extras->lock);
      while (auto* w = extras->joiners.claim_front()) make_ready(*w->cell);
      listeners.swap(extras->listeners);
      caf_side = extras->caf_side;
    }
    if (caf_side) caf_side->on_exit(cell, why);
    for (auto& l : listeners) l->on_exit(cell, why);
  }
  if (listener != nullptr) listener->on_exit(cell, why);
  living.let_go(cell, place);
  if (stopping()) {
    std::lock_guard guard(stop_mutex_);
    emptied_.notify_all();
  }
}

stop_report runtime_core::stop(std::chrono::milliseconds limit) {
  if (this_turn.core == this && this_turn.worker != nullptr) {
    throw usage_error("stop: called on a worker of the actor system '" + opts.name +
                      "', which it would wait for; call it from main");
  }
  stop_first(saturating_add(real_clock().now(), limit));
  living.close();
  cancel(root, error(errc::stopped, "the actor system '" + opts.name + "' is stopping"));
  strike_all(actor_cell::actor_cancel);
  if (!wait_until_empty(limit)) {
    strike_all(actor_cell::kill);
    wait_until_empty(limit);
  }
  stop_report report;
  report.not_stopped = actors();
  if (!report.complete()) return report;
  caf->settle();
  report.timers = runs_on->live_timers();
  report.pending_requests = requests().pending();
  if (report.timers != 0 || report.pending_requests != 0) log.warn("stop: {}", report.to_string());
  return report;
}

void runtime_core::stop_before_others(const actor& who) {
  std::lock_guard guard(first_mutex_);
  if (no_more_first_) { // the stop has begun without it
    who.cancel(error(errc::stopped, "the actor system '" + opts.name + "' is stopping"));
    return;
  }
  if (first_to_stop_.size() == first_to_stop_.capacity()) { // about to grow: those that have ended make room
    std::erase_if(first_to_stop_, [](const actor& a) { return a.finished(); });
  }
  first_to_stop_.push_back(who);
}

/// Ends the trees of supervisors, the last first; each ends its children in its own order. Whoever is late is then stopped as all others.
void runtime_core::stop_first(time_point deadline) {
  struct signal final : exit_listener {
    std::promise<void> ended;
    void on_exit(actor_cell&, const exit_reason&) noexcept override { ended.set_value(); }
  };
  const std::lock_guard one_by_one(stop_first_mutex_); // who stops, too, waits until the order has been kept
  std::vector<actor> all;
  {
    std::lock_guard guard(first_mutex_);
    no_more_first_ = true;
    all.swap(first_to_stop_);
  }
  for (; !all.empty(); all.pop_back()) {
    const auto& next = all.back();
    const auto end = std::make_shared<signal>();
    if (!add_listener(*next.cell(), end)) continue;
    next.cancel(error(errc::stopped, "the actor system '" + opts.name + "' is stopping"));
    if (end->ended.get_future().wait_until(deadline) == std::future_status::timeout) {
      log.warn("stop: actor {} '{}' has not stopped its children in time; all are stopped now", next.id(), next.name());
      return;
    }
  }
}

bool runtime_core::wait_until_empty(std::chrono::milliseconds limit) {
  std::unique_lock lock(stop_mutex_);
  // Not wait_for(), which a limit without end would overflow.
  return emptied_.wait_until(lock, saturating_add(std::chrono::steady_clock::now(), limit),
                             [this] { return living.count() == 0; });
}

void runtime_core::strike_all(std::uint32_t bit) noexcept {
  living.for_each([bit](actor_cell& cell) {
    if (cell.strike(bit)) make_ready(cell);
  });
}

system_stats runtime_core::stats() const {
  system_stats now;
  now.actors = living.count();
  now.spawned = living.added();
  now.timers = runs_on->live_timers();
  now.asks = requests();
  for (std::size_t i = 0; team_ != nullptr && i < team_->workers(); ++i) now.workers.push_back(team_->at(i).stats());
  return now;
}

std::uint32_t runtime_core::milliseconds(time_point now) const noexcept {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now - started_at).count());
}

actor_info runtime_core::describe(const actor_cell& cell) const {
  const auto kind = static_cast<std::size_t>(kind_of(cell.waits_for.load(std::memory_order_acquire)));
  const auto since =
      cell.wait_since.load(std::memory_order_relaxed); // before the clock: a wait that begins now has lasted 0
  const auto now = milliseconds(env.time->now());
  const auto age = kind == 0 || since > now ? 0U : now - since;
  return {cell.id, cell.name, file_and_line(cell.site), wait_names[kind], std::chrono::milliseconds(age)};
}

request_stats runtime_core::requests() const noexcept {
  request_stats sum;
  const auto add = [this](std::uint64_t& to, ask_event what) {
    // Acquire, and ends before starts: whose end is seen has its start seen too, so that none is pending below zero.
    for (const auto& share : asks) to += share.counts[static_cast<std::size_t>(what)].load(std::memory_order_acquire);
  };
  add(sum.late, ask_event::late);
  add(sum.answered, ask_event::answered);
  add(sum.failed, ask_event::failed);
  add(sum.timed_out, ask_event::timed_out);
  add(sum.cancelled, ask_event::cancelled);
  add(sum.started, ask_event::started);
  return sum;
}

std::vector<ledger_entry> runtime_core::ledger_entries() const {
  std::vector<std::pair<actor, const actor_cell*>> found; // with their parents
  found.reserve(living.count());
  living.for_each([&](actor_cell& cell) { // no more than this under the locks
    add_ref(cell);
    found.emplace_back(actor(&cell, actor::adopt{}), cell.listener == nullptr ? nullptr : cell.listener->parent());
  });
  std::unordered_map<const actor_cell*, std::uint64_t> ids;
  for (const auto& [who, parent] : found) ids.emplace(who.cell(), who.id());
  std::vector<ledger_entry> all;
  for (const auto& [who, parent] : found) {
    if (who.finished()) continue;
    auto& cell = *who.cell();
    ledger_entry e;
    e.actor = describe(cell);
    const auto holds = internal::look_at_wait(cell);
    e.until_deadline = is_timed(cell.waits_for.load(std::memory_order_relaxed)) || holds.context_deadline;
    e.guards = holds.guards;
    if (const auto known = ids.find(parent); known != ids.end()) e.parent = known->second;
    all.push_back(std::move(e));
  }
  return all;
}

std::vector<actor_info> runtime_core::actors() const {
  std::vector<actor_info> all;
  living.for_each([&](const actor_cell& cell) { all.push_back(describe(cell)); });
  return all;
}

} // namespace greenroom::detail
