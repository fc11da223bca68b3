#include <greenroom/actors/detail/chunk_run.hpp>

#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/blocking.hpp>

namespace greenroom::detail {

bool chunk_attempts::again(const error& why) noexcept {
  ++made;
  switch (why.code()) {
  case errc::parse:
  case errc::invalid_argument:
  case errc::limit:
  case errc::unsupported: return false;
  default: return made < most;
  }
}

duration chunk_attempts::next_pause() noexcept {
  const auto now = pause;
  pause = pause > duration::max() / 2 ? duration::max() : 2 * pause;
  return now;
}

chunk_run::chunk_run(chunk_input input, chunk_options how)
    : input_(std::move(input)), how_(std::move(how)), plan_(input_.count()) {
  if (how_.workers == 0) how_.workers = this_actor::system().settings().workers;
  if (how_.in_flight == 0) how_.in_flight = 2 * how_.workers;
}

chunk_run::~chunk_run() { how_.meter.end(this_actor::system().now(), work_state::cancelled); }

task<result<std::optional<std::string>>> chunk_run::open() {
  if (how_.attempts == 0 || how_.workers > 4'096 || how_.in_flight > 1'000'000 ||
      how_.job.find('\n') != std::string::npos)
    co_return error(
        errc::invalid_argument,
        fmt::format("cannot process {}: an option is out of range: attempts ({}) from 1, workers ({}) up to "
                    "4,096, in_flight ({}) up to 1,000,000, and the name of the job one line",
                    input_.name(), how_.attempts, how_.workers, how_.in_flight));
  co_return co_await blocking(&chunk_run::read, this, &this_actor::system().disk());
}

result<std::optional<std::string>> chunk_run::read(files* disk) {
  auto of = input_.identity();
  if (!of) return of.error();
  identity_ = fmt::format("{}; {}; {}", *of, how_.ordered ? "in order" : "in any order", how_.job);
  if (!has_checkpoint()) return std::optional<std::string>();
  const auto text = disk->read_all(how_.checkpoint);
  if (!text && text.error().is(errc::not_found)) return std::optional<std::string>();
  if (!text) return text.error();
  const auto state = read_checkpoint(*text, identity_, plan_);
  if (state) return std::optional<std::string>(*state);
  return error(state.error().code(),
               fmt::format("cannot go on from {}: {}", how_.checkpoint.native(), state.error().message()));
}

void chunk_run::start() {
  const auto now = this_actor::system().now();
  saved_at_ = now;
  std::uint64_t before = plan_.next() == input_.count() ? input_.total() : plan_.next() * input_.share(0);
  for (const auto index : plan_.open()) before -= input_.share(index);
  how_.meter.begin(now, input_.total(), before, input_.unit() != chunk_unit::numbers);
}

void chunk_run::finish(std::uint64_t index) {
  plan_.finish(index);
  how_.meter.add(input_.share(index));
}

bool chunk_run::checkpoint_due() const {
  return has_checkpoint() && !plan_.all_done() &&
         this_actor::system().now() >= saturating_add(saved_at_, how_.checkpoint_every);
}

task<result<void>> chunk_run::save(std::string state) {
  auto saved = co_await blocking(&chunk_run::write, this, &this_actor::system().disk(), std::move(state));
  saved_at_ = this_actor::system().now();
  co_return saved;
}

result<void> chunk_run::write(files* disk, std::string state) {
  if (auto same = check_unchanged(); !same) return same;
  return disk->write_atomically(how_.checkpoint, checkpoint_text(identity_, plan_, state));
}

task<result<void>> chunk_run::close() {
  auto closed = co_await blocking(&chunk_run::remove, this, &this_actor::system().disk());
  if (closed) how_.meter.end(this_actor::system().now(), work_state::done);
  co_return closed;
}

result<void> chunk_run::remove(files* disk) {
  if (auto same = check_unchanged(); !same) return same;
  if (!has_checkpoint()) return {};
  auto removed = disk->remove(how_.checkpoint);
  return removed || removed.error().is(errc::not_found) ? result<void>() : removed;
}

result<void> chunk_run::check_unchanged() const {
  const auto of = input_.identity();
  if (!of) return of.error();
  if (identity_.starts_with(*of + "; ")) return {};
  return error(errc::io, fmt::format("cannot process {}: it has changed while it was read (it was: {}; now: {}): begin "
                                     "anew when it does not change any more",
                                     input_.name(), identity_, *of));
}

error chunk_run::fail(error why) {
  how_.meter.end(this_actor::system().now(), work_state::failed);
  return why;
}

error chunk_run::failure_of(std::uint64_t index, unsigned attempts, const error& why) const {
  const auto times = attempts > 1 ? fmt::format(", {} attempts", attempts) : "";
  return {why.code(), fmt::format("cannot process {}: chunk {} ({}){}: {}", input_.name(), index, input_.place(index),
                                  times, why.message())};
}

} // namespace greenroom::detail
