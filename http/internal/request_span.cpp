#include <greenroom/http/internal/request_span.hpp>

#include <utility>

#include <fmt/format.h>

namespace greenroom::http::internal {

void report_request(actor_system& system, const answered& what, time_point since) noexcept {
  try {
    const int status = what.answer.status();
    span s{.place = what.trace,
           .name = what.route.empty() ? std::string(what.method) : fmt::format("{} {}", what.method, what.route),
           .kind = span_kind::server,
           .began = since,
           .ended = saturating_add(since, what.took),
           .failed = status >= 500 || what.cut_off};
    if (what.cut_off)
      s.why = "the client has not got all of the answer";
    else if (s.failed)
      s.why = reason_phrase(status);
    s.attributes.emplace_back("http.request.method", std::string(what.method));
    s.attributes.emplace_back("url.path", std::string(what.target.substr(0, what.target.find('?'))));
    if (!what.route.empty()) s.attributes.emplace_back("http.route", std::string(what.route));
    s.attributes.emplace_back("http.response.status_code", std::int64_t{status});
    if (!what.trace.request_id().empty())
      s.attributes.emplace_back("greenroom.request.id", std::string(what.trace.request_id()));
    report_span(system, std::move(s));
  } catch (...) { // no memory: a span is missing
  }
}

call_span::call_span(actor_system& system, method how, std::string address) : system_(system) {
  const auto under = current_trace();
  if (!under.sampled() || !takes_spans(system)) return;
  span_.emplace(span{.place = under.child(),
                     .name = std::string(to_string(how)),
                     .kind = span_kind::client,
                     .began = system.now(),
                     .ended = {}});
  span_->attributes.emplace_back("http.request.method", span_->name);
  span_->attributes.emplace_back("url.full", std::move(address));
}

call_span::~call_span() {
  if (!span_) return;
  auto& s = *span_;
  s.ended = system_.now();
  try {
    if (status_ != 0) {
      s.attributes.emplace_back("http.response.status_code", std::int64_t{status_});
      s.failed = status_ >= 400;
    } else if (!s.failed) {
      s.failed = true;
      s.why = "cancelled";
    }
  } catch (...) { // no memory: an attribute is missing
  }
  report_span(system_, std::move(s));
}

const error& call_span::failed(const error& why) {
  if (span_) {
    span_->failed = true;
    span_->why = why.message();
  }
  return why;
}

} // namespace greenroom::http::internal
