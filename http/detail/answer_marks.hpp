// answer_marks: the header fields that middlewares want on whatever answer a request gets, for one that the server gives in place of theirs:
// the time is over, the handler has failed.
// Thread safety: any thread: the request's actor adds, its connection reads. Lifetime: shared by both.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>

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

private:
  mutable greenroom::detail::spin_lock lock_;
  std::vector<std::pair<std::string, std::string>> fields_; // guarded by lock_
};

} // namespace greenroom::http::detail
