// What the tests of log lines share: a logger whose lines the test reads.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <greenroom/runtime/log.hpp>

namespace greenroom::http::test {

/// Keeps all lines that are logged, each as "level: text", for any thread to read.
class kept_lines final : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// Takes out what was logged since the last call.
  std::vector<std::string> take() {
    std::lock_guard guard(mutex_);
    return std::exchange(lines_, {});
  }

private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    const auto level = spdlog::level::to_string_view(line.level);
    lines_.push_back(std::string(level.data(), level.size()) + ": " +
                     std::string(line.payload.data(), line.payload.size()));
  }
  void flush_() override {}
  std::vector<std::string> lines_; // guarded by mutex_
};

struct kept_log {
  std::shared_ptr<kept_lines> lines = std::make_shared<kept_lines>();
  logger log = use_logger(std::make_shared<spdlog::logger>("test", lines));
};

} // namespace greenroom::http::test
