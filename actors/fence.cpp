#include <greenroom/actors/fence.hpp>

#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/journal.hpp>

namespace greenroom {
namespace {

error too_old(const std::string& what, std::uint64_t token, std::uint64_t seen) {
  return {errc::not_found,
          fmt::format("refused: a write to '{}': its lease is over (token {}, and {} has been here); stop", what, token,
                      seen)};
}

} // namespace

fence::fence(std::string what, std::uint64_t seen) : what_(std::move(what)), seen_(seen) {}

result<void> fence::check(std::uint64_t token) {
  auto seen = seen_.load();
  while (seen < token && !seen_.compare_exchange_weak(seen, token)) {}
  if (seen > token) return too_old(what_, token, seen);
  return {};
}

result<void> check_fence(journal& log, const std::string& name, std::uint64_t token) {
  const auto reader = "fence " + name;
  const auto seen = log.cursor(reader);
  if (!seen) return seen.error();
  if (*seen > token) return too_old(name, token, *seen);
  return *seen == token ? result<void>() : log.set_cursor(reader, token);
}

} // namespace greenroom
