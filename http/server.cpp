#include <greenroom/http/server.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/http/internal/server_core.hpp>

namespace greenroom::http {

std::string server_stop_report::to_string() const {
  if (complete()) return "every request was finished";
  constexpr std::size_t most_named = 3;
  auto text = fmt::format("{} request(s) were cut off when the time for the stop was over", cut_off);
  for (std::size_t i = 0; i < std::min(most_named, requests.size()); ++i) {
    const auto& each = requests[i];
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(each.age);
    text += fmt::format("{} {} of {} after {} ms", i == 0 ? ":" : ",", each.route, each.peer, age.count());
  }
  if (left != 0)
    text += fmt::format("; {} request actor(s) did not end, because their code did not return to a wait", left);
  return text;
}

server::server(actor_system& system, server_options options)
    : core_(std::make_unique<internal::server_core>(system, std::move(options))) {}

server::~server() {
  if (core_->deserted()) return;
  const auto& here = greenroom::detail::this_turn;
  if (here.cell != nullptr || here.worker != nullptr) { // which may not wait
    internal::server_core::let_go(std::move(core_));
    return;
  }
  const auto report = stop();
  if (!report.complete()) core_->system.log().warn("an HTTP server was destroyed: {}", report.to_string());
  while (!core_->deserted()) { // freeing what a request uses would be worse
    core_->system.log().error(
        "the destructor of an HTTP server waits for {} request(s) whose code does not return to a wait",
        core_->stats().in_flight);
    core_->abandon(std::chrono::seconds(5));
  }
}

server& server::route(method m, std::string_view pattern, handler h) {
  core_->add({m, std::string(pattern), std::move(h), {}});
  return *this;
}

server& server::mount(std::string_view prefix, routes group) {
  core_->mount(prefix, std::move(group));
  return *this;
}

std::string server::openapi(const openapi_info& info) const { return core_->openapi(info); }

server& server::use(middleware m) {
  core_->use(std::move(m));
  return *this;
}

result<void> server::start() { return core_->start(); }

std::uint16_t server::port() const noexcept { return core_->entrance->port(); }

std::string server::url() const {
  const char* const scheme = core_->options.tls ? "https://" : "http://";
  return scheme + endpoint(core_->options.host, port()).to_string();
}

server_stats server::stats() const noexcept { return core_->stats(); }

bool server::stopping() const noexcept { return core_->leaving(); }

bool server::ready() const noexcept { return core_->entrance != nullptr && !core_->leaving(); }

server_stop_report server::stop(std::chrono::milliseconds limit) {
  greenroom::detail::check_may_block("http::server::stop", "co_await stopped()");
  const auto report = core_->system.run(
      [](internal::server_core* core, std::chrono::milliseconds time) { return core->stop(time); }, core_.get(), limit);
  return report ? *report : core_->abandon(limit); // the system is stopping and runs nothing new
}

server_stop_report server::stop() { return stop(core_->options.stop_time); }

task<server_stop_report> server::stopped(std::chrono::milliseconds limit) { return core_->stop(limit); }

} // namespace greenroom::http
