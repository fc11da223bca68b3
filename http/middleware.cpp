#include <greenroom/http/middleware.hpp>

namespace greenroom::http {
namespace {

task<response> answer_at_once(const detail::any_handler* with, request r) { co_return with->answer(std::move(r)); }

} // namespace

detail::any_middleware::~any_middleware() = default;

task<response> next::operator()(request r) {
  if (step_ < of_->steps.size()) {
    const auto& step = *of_->steps[step_++];
    return step.begin(std::move(r), std::move(*this));
  }
  const auto& handler = *of_->last;
  switch (handler.is) {
  case detail::any_handler::kind::answers: return answer_at_once(&handler, std::move(r));
  case detail::any_handler::kind::waits: return handler.begin(std::move(r));
  default: return handler.begin_reading(std::move(r), *std::exchange(body_, std::nullopt));
  }
}

} // namespace greenroom::http
