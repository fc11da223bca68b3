#include "process.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/actors/chunk_pipeline.hpp>
#include <greenroom/actors/csv_statistics.hpp>
#include <greenroom/http/json.hpp>
#include <greenroom/http/problem.hpp>
#include <greenroom/http/progress_events.hpp>
#include <greenroom/http/rate_limit.hpp>
#include <greenroom/runtime/semaphore.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_jobs = 32;
constexpr auto kept_for = 10min;
constexpr std::size_t workers = 2;
constexpr std::uint64_t most_bytes = 1'000'000'000;
constexpr csv_shape shape{.key = 0, .amount = 1, .decimals = 2, .header = false, .most_keys = 1'000};

/// Lines of 16 bytes, "shop-42,1999.95", that are made where they are read.
class made_up final : public byte_source {
public:
  explicit made_up(std::uint64_t bytes) noexcept : size_(bytes / line_size * line_size) {}
  std::uint64_t size() const noexcept override { return size_; }
  std::string name() const override { return "the made-up sales"; }
  result<std::string> identity() const override { return fmt::format("made up, {} bytes", size_); }
  result<void> read_at(std::uint64_t offset, char* to, std::size_t size) const override {
    for (std::size_t done = 0; done < size;) {
      char line[line_size];
      write(offset / line_size, line);
      const auto from = offset % line_size;
      const auto part = std::min<std::size_t>(size - done, line_size - from);
      std::copy_n(line + from, part, to + done);
      done += part;
      offset += part;
    }
    return {};
  }

private:
  static constexpr std::size_t line_size = 16;
  static void write(std::uint64_t number, char* line) noexcept {
    auto draw = (number + 1) * 0x9e3779b97f4a7c15U;
    draw = (draw ^ (draw >> 29)) * 0xbf58476d1ce4e5b9U >> 20;
    constexpr std::string_view form = "shop-00,0000.00\n";
    form.copy(line, form.size());
    for (const std::size_t at : {5U, 6U, 8U, 9U, 10U, 11U, 13U, 14U}) {
      line[at] = static_cast<char>('0' + draw % 10);
      draw /= 10;
    }
  }
  std::uint64_t size_;
};

struct key_report {
  std::string key;
  std::uint64_t count = 0;
  std::int64_t sum = 0, mean = 0, least = 0, greatest = 0;
};
void describe(http::schema<key_report>& s) {
  s.field("key", &key_report::key);
  s.field("count", &key_report::count);
  s.field("sum", &key_report::sum).says("in hundredths, as all amounts");
  s.field("mean", &key_report::mean);
  s.field("least", &key_report::least);
  s.field("greatest", &key_report::greatest);
}

struct job_report {
  std::uint64_t id = 0;
  http::any_json progress;
  std::optional<std::string> error;
  std::optional<std::vector<key_report>> result;
};
void describe(http::schema<job_report>& s) {
  s.field("id", &job_report::id);
  s.field("progress", &job_report::progress);
  s.field("error", &job_report::error);
  s.field("result", &job_report::result);
}

std::vector<key_report> lines_of(const key_statistics& all) {
  std::vector<key_report> lines;
  for (const auto& [key, of] : all.sorted()) lines.push_back({key, of.count, of.sum, of.mean(), of.least, of.greatest});
  return lines;
}

} // namespace

class process_jobs {
public:
  struct job {
    std::uint64_t id;
    progress_meter meter;
    time_point begun;
    actor who = {};
    std::optional<result<key_statistics>> outcome = {};
  };

  explicit process_jobs(actor_system& s) noexcept : sys(s) {}

  /// Makes room for a job and starts it. Errors: limit.
  result<job_report> start(chunk_input input, const std::shared_ptr<process_jobs>& self);

  std::optional<job_report> report(std::uint64_t id) {
    const std::lock_guard guard(lock_);
    forget_old();
    const auto* const found = find(id);
    if (found == nullptr) return std::nullopt;
    job_report made{id, {http::progress_json(found->meter.look(sys.now()))}, {}, {}};
    if (found->outcome && !*found->outcome) made.error = std::string(found->outcome->error().message());
    if (found->outcome && *found->outcome) made.result = lines_of(**found->outcome);
    return made;
  }
  /// Returns the job's actor if the job is over: it may not have left its result yet, but will not wait any more.
  actor ending(std::uint64_t id) {
    const std::lock_guard guard(lock_);
    const auto* const found = find(id);
    return found != nullptr && found->meter.look(sys.now()).over() ? found->who : actor();
  }
  std::optional<progress_meter> meter(std::uint64_t id) {
    const std::lock_guard guard(lock_);
    const auto* const found = find(id);
    return found == nullptr ? std::nullopt : std::optional(found->meter);
  }
  bool cancel(std::uint64_t id) {
    const std::lock_guard guard(lock_);
    const auto* const found = find(id);
    if (found != nullptr) found->who.cancel();
    return found != nullptr;
  }
  void finish(std::uint64_t id, result<key_statistics> outcome) {
    const std::lock_guard guard(lock_);
    if (auto* const found = find(id)) found->outcome.emplace(std::move(outcome));
  }
  std::uint64_t actors() {
    const std::lock_guard guard(lock_);
    std::uint64_t all = 0;
    for (const auto& each : jobs_) all += each.who.finished() ? 0 : 1 + workers;
    return all;
  }

  actor_system& sys;
  semaphore turns{1}; // so many jobs run at once

private:
  job* find(std::uint64_t id) {
    for (auto& each : jobs_)
      if (each.id == id) return &each;
    return nullptr;
  }
  void forget_old() {
    const auto now = sys.now();
    std::erase_if(jobs_, [now](const job& each) { return each.who.finished() && each.begun + kept_for < now; });
  }

  std::mutex lock_;      // held for a search among the few jobs
  std::deque<job> jobs_; // oldest first
  std::uint64_t next_ = 1;
};

namespace {

result<key_statistics> count(const chunk& lines) { return csv_statistics(lines, shape); }

/// However it ends, whoever follows the job hears of it.
struct end_of_job {
  progress_meter meter;
  actor_system& sys;
  ~end_of_job() { meter.end(sys.now(), work_state::cancelled); }
};

task<> run_job(std::shared_ptr<process_jobs> jobs, std::uint64_t id, chunk_input input, progress_meter meter) {
  const end_of_job end{meter, jobs->sys};
  const auto turn = co_await jobs->turns.acquire();
  auto job = process_chunks(std::move(input), count, merge_statistics, key_statistics(shape.most_keys),
                            {.workers = workers, .attempts = 1, .meter = meter});
  auto outcome = co_await std::move(job);
  jobs->finish(id, std::move(outcome));
}

/// POST /process, with lines "key,amount" as the body, or POST /process?bytes=100000000
http::response start_job(http::request r, const std::shared_ptr<process_jobs>& jobs) {
  auto input = chunks_of_text(r.take_body(), by_lines(65'536));
  if (r.query_value("bytes")) {
    const auto bytes = r.query_number("bytes", most_bytes, std::uint64_t{0}, most_bytes);
    if (!bytes) return http::problem(bytes.error());
    input = chunks_of(std::make_shared<made_up>(*bytes), by_lines());
  } else if (input && input->total() == 0) {
    return http::problem(400, "send lines of the form key,amount, or ask for made-up ones: /process?bytes=100000000");
  }
  if (!input) return http::problem(input.error());
  const auto started = jobs->start(*std::move(input), jobs);
  if (!started) return http::problem(started.error());
  return http::json_of(*started, 202).header("Location", fmt::format("/process/{}", started->id));
}

http::response no_such_job(std::uint64_t id) {
  return http::problem(404, fmt::format("there is no job {}; each is kept for ten minutes", id));
}

task<http::response> show_job(http::request r, std::shared_ptr<process_jobs> jobs) {
  const auto id = r.parameter_as<std::uint64_t>("id");
  if (const auto who = jobs->ending(id)) (void)co_await who.join();
  const auto found = jobs->report(id);
  co_return found ? http::json_of(*found) : no_such_job(id);
}

http::response follow_job(const http::request& r, const std::shared_ptr<process_jobs>& jobs) {
  const auto id = r.parameter_as<std::uint64_t>("id");
  const auto found = jobs->meter(id);
  return found ? http::progress_events(r, *found) : no_such_job(id);
}

http::response cancel_job(const http::request& r, const std::shared_ptr<process_jobs>& jobs) {
  const auto id = r.parameter_as<std::uint64_t>("id");
  return jobs->cancel(id) ? http::response(204) : no_such_job(id);
}

} // namespace

result<job_report> process_jobs::start(chunk_input input, const std::shared_ptr<process_jobs>& self) {
  const std::lock_guard guard(lock_);
  forget_old();
  if (jobs_.size() >= most_jobs) {
    const auto oldest = std::find_if(jobs_.begin(), jobs_.end(), [](const job& each) { return each.who.finished(); });
    if (oldest == jobs_.end())
      return error(errc::limit, fmt::format("{} jobs are under way or wait, and there cannot be more", most_jobs));
    jobs_.erase(oldest);
  }
  jobs_.push_back({next_++, progress_meter(), sys.now()});
  auto& made = jobs_.back();
  made.who = sys.spawn({.name = "process"}, run_job, self, made.id, std::move(input), made.meter);
  return job_report{made.id, {http::progress_json(made.meter.look(sys.now()))}, {}, {}};
}

processing::processing(actor_system& sys) : jobs_(std::make_shared<process_jobs>(sys)) {}

http::routes processing::routes() const {
  http::routes all;
  all.use(http::rate_limit({.requests = 600, .period = 1min, .burst = 60}));
  all.post("/process", start_job, jobs_)
      .get("/process/{id:uint}", show_job, jobs_)
      .get("/process/{id:uint}/events", follow_job, jobs_)
      .delete_("/process/{id:uint}", cancel_job, jobs_);
  return all;
}

std::uint64_t processing::actors() const { return jobs_->actors(); }
