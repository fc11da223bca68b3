// event_sourced: a state that one actor owns, changed by records of a journal only: what it has answered is on disk, and a crash loses nothing of it.
//
//   struct tally {
//     std::int64_t sum = 0;
//     result<void> apply(const journal_record& r);                   // the only thing that changes it; at the start, too, for what is in the journal
//     std::string save() const;                                      // a snapshot
//     static result<tally> load(std::string_view snapshot);
//     result<std::int64_t> decide(const add& what, changes<tally>& to) const;      // struct add { int by; using reply = std::int64_t; };
//   };
//   event_sourced<tally> sums(sys, [] { return open_sqlite_journal("sums.db"); });
//   result<std::int64_t> now = co_await sums.tell(add{5}, 1s);
//
// All commands that wait while one flush of the disk goes on are decided together and share the next one (group commit).
// Thread safety: handles may be copied to any actor. Order: of one asker, as asked. Lifetime: the actor ends when the last handle goes.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/journal.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {

/// Opens the journal, at each start of the actor. Called on a thread that may block.
using journal_source = std::function<result<std::unique_ptr<journal>>()>;

/// How an event_sourced writes. Thread safety: as a value.
struct event_sourced_options {
  /// Commands that are decided together at most, from 1: more share a flush of the disk, but all of them wait for the last.
  std::size_t batch = 1024;
  /// Records between two snapshots, from 1. A start replays as many at most: a million small ones take some seconds.
  std::uint64_t snapshot_every = 10'000;
};

/// What a decision appends. Thread safety: owner only, during the call of decide().
template <class State>
class changes {
public:
  /// For the actor.
  changes(State& state, journal& log) noexcept : state_(state), log_(log) {}

  /// Appends a record and applies it; returns its number. Errors: already_exists, by which nothing has changed; others end the whole batch,
  /// all of whose commands then fail.
  result<std::uint64_t> append(journal_record record) {
    auto number = log_.append(record);
    if (!number) {
      if (!number.error().is(errc::already_exists)) why_ = number.error();
      return number;
    }
    record.number = *number;
    if (auto applied = state_.apply(record); !applied) {
      why_ = applied.error();
      return applied.error();
    }
    return number;
  }
  /// What is in the journal, records of this batch included.
  journal& log() const noexcept { return log_; }
  /// Returns why the whole batch has failed, if it has.
  const std::optional<error>& broken() const noexcept { return why_; }

private:
  State& state_;
  journal& log_;
  std::optional<error> why_;
};

/// Asks for records, in order: moves the place of a reader, which the journal keeps under its name, on to `done`, and gives what is behind
/// that place. Waits until something is. The piece that outbox.hpp is made of. Errors: invalid_argument for a `done` that no record has.
struct read_records {
  std::string reader;      ///< whose place it is
  std::uint64_t done = 0;  ///< number of the last record that it has dealt with; a lower one than is kept moves nothing
  std::size_t limit = 100; ///< records given at once, at most
  using reply = std::vector<journal_record>;

  /// Asks the journal; an empty list: there is nothing yet.
  GREENROOM_EXPORT result<reply> of(journal& log) const;
};

/// A command that is about the journal itself, and that the State does not see: it has `result<reply> of(journal& log) const`.
template <class M>
concept asks_journal = requires(const M& m, journal& log) {
  { m.of(log) } -> std::same_as<result<typename M::reply>>;
};

/// A command on its way to a State. Thread safety: as request.
template <class State>
class event_job {
public:
  /// Makes a job of the request for a command.
  template <has_reply M>
  event_job(request<M> asked) : of_(std::make_unique<command<M>>(std::move(asked))) {}

  /// Has the state decide, or the journal asked; not if nobody waits for it any more.
  void decide(State& state, changes<State>& to) { of_->decide(state, to); }
  /// Returns whether it has to be asked again, behind the records of a later batch. Requires: it was decided.
  bool waits() const { return of_->waits(); }
  /// Gives its asker what was decided. Requires: that is on disk.
  void answer() { of_->answer(); }
  /// Gives its asker an error in place of that.
  void fail(const error& why) { of_->fail(why); }

private:
  struct base {
    virtual ~base() = default;
    virtual void decide(State& state, changes<State>& to) = 0;
    virtual bool waits() const = 0;
    virtual void answer() = 0;
    virtual void fail(const error& why) = 0;
  };
  template <class M>
  struct command final : base {
    explicit command(request<M> r) noexcept : asked(std::move(r)) {}
    void decide(State& state, changes<State>& to) override {
      made.reset();
      if (!asked.wanted()) return; // what nobody waits for is not done
      if constexpr (asks_journal<M>) {
        made.emplace(asked.message.of(to.log()));
      } else {
        made.emplace(state.decide(asked.message, to));
      }
    }
    bool waits() const override {
      if constexpr (std::is_same_v<M, read_records>) return made && *made && (**made).empty();
      return false;
    }
    void answer() override {
      if (made) asked.reply(*std::move(made));
    }
    void fail(const error& why) override {
      made.reset();
      asked.fail(why);
    }
    request<M> asked;
    std::optional<result<typename M::reply>> made;
  };
  std::unique_ptr<base> of_;
};

namespace detail {

/// The state with its journal. Used by one blocking call after the other.
template <class State>
class state_keeper {
public:
  explicit state_keeper(const event_sourced_options& how) : how_(how) {}

  result<void> open(const journal_source& source) {
    auto opened = source();
    if (!opened) return opened.error();
    log_ = *std::move(opened);
    return load();
  }

  /// Decides all of them and writes what came of it. They are answered afterwards, by the actor.
  void run(std::vector<event_job<State>>& batch) {
    const auto done = try_run(batch);
    if (done) return;
    for (auto& job : batch) job.fail(done.error());
    log_->rollback();
    state_.reset();                   // it knows what is not on disk
    if (log_->usable()) (void)load(); // otherwise the next command says why
  }

  bool snapshot_due() const noexcept { return state_ && log_->last() - snapshot_at_ >= how_.snapshot_every; }
  /// Errors: as journal; the next batch tries again.
  result<void> save() {
    auto saved = log_->save_snapshot({log_->last(), state_->save()});
    if (saved) snapshot_at_ = log_->last();
    return saved;
  }
  void close() noexcept { log_.reset(); }

private:
  result<void> load() {
    const auto newest = log_->snapshot();
    if (!newest) return newest.error();
    State fresh;
    snapshot_at_ = 0;
    if (*newest) {
      auto read = State::load((**newest).content);
      if (!read) return read.error();
      fresh = *std::move(read);
      snapshot_at_ = (**newest).number;
    }
    auto replayed = log_->replay(snapshot_at_, [&fresh](const journal_record& r) { return fresh.apply(r); });
    if (replayed) state_.emplace(std::move(fresh));
    return replayed;
  }

  result<void> try_run(std::vector<event_job<State>>& batch) try {
    if (!state_) {
      if (auto loaded = load(); !loaded) return loaded;
    }
    if (auto begun = log_->begin(); !begun) return begun;
    changes<State> to(*state_, *log_);
    for (auto& job : batch) {
      job.decide(*state_, to);
      if (to.broken()) return *to.broken();
    }
    return log_->commit();
  } catch (const std::exception& e) {
    return error(errc::failed, std::string("a command ended by an exception: ") + e.what());
  }

  const event_sourced_options how_;
  std::unique_ptr<journal> log_;
  std::optional<State> state_; // none: it could not be read again after a failure
  std::uint64_t snapshot_at_ = 0;
};

} // namespace detail

/// The actor behind event_sourced, as a child of a supervisor or a node of a graph. Errors: throws std::runtime_error if it cannot open or read its journal.
/// When the disk fails in a way that leaves unknown what is on it, it answers every command with that error until it is started anew.
template <class State>
task<> keep_state(mailbox<event_job<State>> in, journal_source source, event_sourced_options how) {
  const auto keeper = std::make_unique<detail::state_keeper<State>>(how);
  const auto opened = co_await blocking(&detail::state_keeper<State>::open, keeper.get(), std::move(source));
  if (!opened) throw std::runtime_error(std::string(opened.error().message()));
  std::vector<event_job<State>> batch;
  std::vector<event_job<State>> readers; // wait for the next record; they stand behind the commands that may write it
  while (auto first = co_await in.receive()) {
    batch.push_back(*std::move(first));
    co_await yield(); // those who were just answered may have the next command at once: it then shares this flush
    while (batch.size() < how.batch) {
      auto more = in.try_receive();
      if (!more) break;
      batch.push_back(*std::move(more));
    }
    std::move(readers.begin(), readers.end(), std::back_inserter(batch));
    readers.clear();
    co_await blocking([](detail::state_keeper<State>* k, std::vector<event_job<State>>* b) { k->run(*b); },
                      keeper.get(), &batch);
    for (auto& job : batch) {
      if (job.waits()) {
        readers.push_back(std::move(job));
      } else {
        job.answer();
      }
    }
    batch.clear();
    if (keeper->snapshot_due()) {
      const auto saved = co_await blocking(&detail::state_keeper<State>::save, keeper.get());
      if (!saved) this_actor::system().log().warn("no snapshot was made: {}", saved.error().message());
    }
  }
  co_await blocking(&detail::state_keeper<State>::close, keeper.get());
}

/// Thread safety and lifetime: see the file comment.
template <class State>
class event_sourced {
public:
  /// Starts the actor. Commands that come before its journal is open wait; if it cannot be opened, they fail with errc::closed or no_reply, and the
  /// log says why.
  event_sourced(actor_system& sys, journal_source source, event_sourced_options how = {},
                std::source_location where = std::source_location::current()) {
    auto [in, out] = make_mailbox<event_job<State>>(bounded(1024));
    sys.spawn(spawn_options{.name = "event sourced"}, {keep_state<State>, where}, std::move(in), std::move(source),
              how);
    out_ = std::move(out);
  }
  /// For an actor that somebody else supervises.
  explicit event_sourced(address<event_job<State>> to) noexcept : out_(std::move(to)) {}

  /// Has the state decide on a command and gives its answer, once all that it rests on is on disk. Waits: as ask(). Cancellation: as ask(); the command may have
  /// been done. Errors: as ask(); what decide() gave; io, if the disk failed: the command has then not been done, or, where the message says that it is unknown,
  /// may have been.
  template <has_reply M, class Rep, class Period>
  auto tell(M command, std::chrono::duration<Rep, Period> limit) const {
    return ask(out_, std::move(command), limit);
  }
  /// Returns where commands go, for who hands on requests of others.
  const address<event_job<State>>& commands() const noexcept { return out_; }

private:
  address<event_job<State>> out_;
};

} // namespace greenroom
