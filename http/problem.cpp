#include <greenroom/http/problem.hpp>

#include <fmt/format.h>

#include <greenroom/http/detail/json_value.hpp>

namespace greenroom::http {
namespace {

std::string_view what_all_may_know(int status) noexcept {
  switch (status) {
  case 501: return "the server is not able to do this";
  case 502: return "another server failed that is needed for this answer";
  case 503: return "the server cannot answer this request now";
  case 504: return "what is needed for this answer took too long";
  default: return "the server failed to answer this request";
  }
}

} // namespace

response problem(int status, std::string_view detail, std::span<const document_fault> faults) {
  if (status < 400 || status > 599)
    throw usage_error(fmt::format("http::problem: the status must be from 400 to 599, not {}", status));
  detail::json_writer out;
  out.open_object();
  if (const auto title = reason_phrase(status); !title.empty()) out.key("title").text(title);
  out.key("status").number(status);
  if (!detail.empty()) out.key("detail").text(detail);
  if (!faults.empty()) {
    out.key("errors").open_array();
    for (const auto& each : faults)
      out.open_object().key("pointer").text(each.pointer).key("detail").text(each.detail).close_object();
    out.close_array();
  }
  // People ask for what is wrong by curl, too: their prompt stands on a line of its own.
  return {status, "application/problem+json", out.close_object().str() + "\n"};
}

int status_of(errc code) noexcept {
  switch (code) {
  case errc::parse: return 400;
  case errc::not_found: return 404;
  case errc::already_exists: return 409;
  case errc::invalid_argument:
  case errc::type_mismatch: return 422;
  case errc::limit: return 429;
  case errc::unsupported: return 501;
  case errc::upstream: return 502;
  case errc::full:
  case errc::closed:
  case errc::stopped:
  case errc::unavailable:
  case errc::cancelled:
  case errc::no_reply: return 503;
  case errc::timed_out: return 504;
  default: return 500;
  }
}

response problem(const error& why) {
  const int status = status_of(why.code());
  auto answer = problem(status, status < 500 ? why.message() : what_all_may_know(status));
  if (status == 429 || status == 503) answer.header("Retry-After", "1");
  return answer;
}

} // namespace greenroom::http
