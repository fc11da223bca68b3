// answer_marks: what middlewares want to hold whatever answer a request gets, also for one that the server gives in place of theirs (the time is
// over, the handler has failed): header fields, and the trace that it belongs to.
// Thread safety: any thread: the request's actor adds, its connection reads. Lifetime: shared by both.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom::http::detail {

class answer_marks {
public:
  /// Requires: a name and a value that response::header() takes.
  void add(std::string name, std::string value) {
    std::lock_guard guard(lock_);
    fields_.emplace_back(std::move(name), std::move(value));
  }
  void put_on(response& answer) const {
    std::lock_guard guard(lock_);
    for (const auto& [name, value] : fields_) answer.header(name, value);
  }

  void follow(trace_context trace) {
    std::lock_guard guard(lock_);
    trace_ = std::move(trace);
  }
  trace_context trace() const {
    std::lock_guard guard(lock_);
    return trace_;
  }

private:
  mutable greenroom::detail::spin_lock lock_;
  std::vector<std::pair<std::string, std::string>> fields_; // guarded by lock_, as is trace_
  trace_context trace_;
};

} // namespace greenroom::http::detail
