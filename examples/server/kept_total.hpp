// The number of requests over all runs of the server, kept in a file: a small cyclic job.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/files.hpp>
#include <greenroom/runtime/task.hpp>

class kept_total {
public:
  /// Reads what earlier runs have left; an empty path keeps nothing. Errors: a sentence if the file cannot be read or written, or
  /// holds something else, which is then left as it is.
  static greenroom::result<kept_total> open(greenroom::files& disk, std::filesystem::path file);

  /// Returns the number with that of this run.
  std::uint64_t with(std::uint64_t requests_of_this_run) const noexcept { return before_ + requests_of_this_run; }
  greenroom::result<void> save(std::uint64_t requests_of_this_run) const;
  bool kept() const noexcept { return !file_.empty(); }

private:
  kept_total(greenroom::files& disk, std::filesystem::path file, std::uint64_t before)
      : disk_(&disk), file_(std::move(file)), before_(before) {}

  greenroom::files* disk_;
  std::filesystem::path file_;
  std::uint64_t before_;
};

/// Saves the number each second if it has changed, until cancelled.
greenroom::task<> keep_total(const kept_total* total, const greenroom::http::server* front);
