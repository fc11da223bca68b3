#include <greenroom/testkit/probe.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/detail/file_and_line.hpp>

namespace greenroom::testkit::detail {
attempt begin_attempt(duration limit, std::source_location at) { return {this_actor::system().now(), limit, at}; }

void fail(const std::string& probe, const attempt& of, const std::string& expected, const std::string& instead,
          seen messages) {
  const duration waited = this_actor::system().now() - of.begun;
  throw broken_requirement(fmt::format(
      "probe '{}' at {}: expected {}, but {} (waited {} of at most {}; {} message(s) came before, {} passed over)",
      probe, greenroom::detail::file_and_line(of.at), expected, instead, in_milliseconds(waited),
      in_milliseconds(of.limit), messages.before, messages.allowed));
}

void fail_mailbox(const char* expected, bool closed, std::size_t size, std::source_location at) {
  throw broken_requirement(fmt::format("mailbox at {}: expected {}, but it holds {} message(s) and is {}",
                                       greenroom::detail::file_and_line(at), expected, size,
                                       closed ? "closed" : "open"));
}

} // namespace greenroom::testkit::detail
