// What the handles of scheduled_jobs send to the actor behind them, and the function of a job.
// Thread safety: as messages. Lifetime: a job's function and its arguments live as long as its last run.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <greenroom/actors/job.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::detail {

/// What a job does.
class GREENROOM_EXPORT job_work {
public:
  virtual ~job_work();
  virtual task<result<void>> begin() = 0;

protected:
  static task<result<void>> as_result(task<> body) {
    co_await std::move(body);
    co_return result<void>();
  }
};

template <class F, class... Args>
class job_work_of final : public job_work {
  using called = std::invoke_result_t<F&, const Args&...>;
  static_assert(std::is_same_v<called, task<>> || std::is_same_v<called, task<result<void>>>,
                "scheduled_jobs: the function of a job must return task<> or task<result<void>>");

public:
  explicit job_work_of(F fn, Args... args) : fn_(std::move(fn)), args_(std::move(args)...) {}
  task<result<void>> begin() override {
    auto body = std::apply([this](const Args&... each) { return std::invoke(fn_, each...); }, args_);
    if constexpr (std::is_same_v<called, task<>>) {
      return as_result(std::move(body));
    } else {
      return body;
    }
  }

private:
  F fn_;
  const std::tuple<Args...> args_;
};

enum class job_order : std::uint8_t { run_now, pause, resume, cancel, remove };

struct add_job {
  job_spec spec;
  std::shared_ptr<job_work> work;
};
struct list_jobs {
  using reply = std::vector<job_info>;
};
struct look_at_job {
  std::string name;
  using reply = job_info;
};
struct order_job {
  std::string name;
  job_order what;
  using reply = job_info;
};
using job_call = std::variant<add_job, request<list_jobs>, request<look_at_job>, request<order_job>>;

} // namespace greenroom::detail
