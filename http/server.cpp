#include <greenroom/http/server.hpp>

#include <fmt/format.h>

#include <greenroom/http/internal/server_core.hpp>

namespace greenroom::http {

std::string server_stop_report::to_string() const {
  if (complete()) return "every request was finished";
  auto text = fmt::format("{} request(s) had to be cancelled when the time for the stop was over", cut_off);
  if (left != 0) text += fmt::format("; of these {} did not end, because their code did not return to a wait", left);
  return text;
}

server::server(actor_system& system, server_options options)
    : core_(std::make_unique<internal::server_core>(system, std::move(options))) {}

server::~server() {
  if (!core_->system.stopping()) {
    const auto report =
        core_->system.run([](internal::server_core* core) { return core->stop(core->options.stop_time); }, core_.get());
    if (report && !report->complete())
      core_->system.log().warn("an HTTP server was destroyed: {}", report->to_string());
  }
  core_->abandon(); // the system stops as well, or did while we asked
}

server& server::route(method m, std::string_view pattern, handler h) {
  core_->add(m, pattern, std::move(h));
  return *this;
}

result<void> server::start() { return core_->start(); }

std::uint16_t server::port() const noexcept { return core_->entrance->port(); }

std::string server::url() const { return "http://" + endpoint(core_->options.host, port()).to_string(); }

server_stats server::stats() const noexcept { return core_->stats(); }

bool server::stopping() const noexcept { return core_->draining(); }

server_stop_report server::stop(std::chrono::milliseconds limit) {
  greenroom::detail::check_may_block("http::server::stop", "co_await stopped()");
  auto report = core_->system.run(
      [](internal::server_core* core, std::chrono::milliseconds time) { return core->stop(time); }, core_.get(), limit);
  if (report) return *report;
  core_->abandon(); // the system is stopping and runs nothing new
  return {};
}

server_stop_report server::stop() { return stop(core_->options.stop_time); }

task<server_stop_report> server::stopped(std::chrono::milliseconds limit) { return core_->stop(limit); }

} // namespace greenroom::http
