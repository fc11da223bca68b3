// A descriptor that is closed at the end.
// Thread safety: owner only.
#pragma once

#include <utility>

#include <unistd.h>

namespace greenroom::detail {

class unique_fd {
public:
  explicit unique_fd(int number = -1) noexcept : number_(number) {}
  unique_fd(unique_fd&& from) noexcept : number_(std::exchange(from.number_, -1)) {}
  unique_fd& operator=(unique_fd&& from) noexcept { return std::swap(number_, from.number_), *this; }
  ~unique_fd() {
    if (number_ >= 0) ::close(number_);
  }
  explicit operator bool() const noexcept { return number_ >= 0; }
  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

private:
  int number_;
};

} // namespace greenroom::detail
