#include <greenroom/http/recover.hpp>

#include <exception>
#include <string>
#include <utility>

#include <greenroom/http/trace.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/detail/reason_of.hpp>

namespace greenroom::http {
namespace {

class recoverer final : public detail::any_middleware {
public:
  explicit recoverer(recover_options how) : how_(std::move(how)) {}
  task<response> begin(request r, next on) const override { return guarded(this, std::move(r), std::move(on)); }

private:
  static task<response> guarded(const recoverer* self, request r, next on) {
    std::exception_ptr thrown;
    try {
      auto answer = on(std::move(r));
      co_return co_await std::move(answer);
    } catch (const cancelled&) {
      throw;
    } catch (...) {
      thrown = std::current_exception();
    }
    co_return self->answer_to(thrown);
  }

  response answer_to(std::exception_ptr thrown) const {
    try {
      if (auto known = ask_known(thrown)) return *std::move(known);
    } catch (...) {
      thrown = std::current_exception();
    }
    const auto id = current_request_id();
    const auto why = greenroom::detail::reason_of(thrown);
    this_actor::system().log().error("{}: the handler failed: request {}: {}", this_actor::name(),
                                     id.empty() ? std::string_view("-") : id, why.why().message());
    constexpr std::string_view sentence = "the server failed to answer this request";
    return how_.problem_document ? problem(500, sentence) : text(std::string(sentence) + "\n", 500);
  }
  std::optional<response> ask_known(const std::exception_ptr& thrown) const {
    if (!how_.known) return std::nullopt;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      return how_.known(e);
    } catch (...) {
      return std::nullopt;
    }
  }

  const recover_options how_;
};

} // namespace

middleware recover(recover_options how) { return middleware(std::make_shared<const recoverer>(std::move(how))); }

} // namespace greenroom::http
