// What the file, the environment and the command line say. --help lists it all.
#pragma once

#include <chrono>
#include <string>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/options.hpp>

namespace my_service {

struct settings {
  greenroom::options system;
  greenroom::http::server_options front;
  std::chrono::milliseconds request_time{2'000};
  // With front.stop_time below the patience of systemd and Docker, see packaging and Dockerfile.
  std::chrono::milliseconds drain_time{4'000};
  std::string help; // not empty: print it and do nothing else
};

/// Errors: a sentence that names the option, and where it stands.
greenroom::result<settings> read_settings(int argc, const char* const* argv);

} // namespace my_service
