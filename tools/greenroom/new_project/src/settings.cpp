#include "settings.hpp"

#include <utility>

#include <greenroom/runtime/host_options.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace my_service {

// "stop_time" is stop_time in the table [my-service] of the file, MY_SERVICE_STOP_TIME in the environment, and
// --stop-time on the command line.
result<settings> read_settings(int argc, const char* const* argv) {
  settings s;
  s.front.stop_time = 4s;
  host_options own("my-service");
  own.add("host", s.front.host, "numeric address to listen at; 0.0.0.0 is all of the machine");
  own.add("port", s.front.port, "port to listen at; 0 picks a free one");
  own.add("request_time", s.request_time, "how long a request may take", 1ms, 1h);
  own.add("stop_notice", s.front.stop_notice, "how long a stop says so on /readyz before it refuses anybody", 0ms, 1h);
  own.add("stop_time", s.front.stop_time, "how long a stop lets requests finish", 0ms, 1h);
  own.add("drain_time", s.drain_time, "how long the graph may then take for what is queued", 0ms, 1h);
  auto given = own.load({.name = "my-service"}, argc, argv);
  if (!given) return given.error();
  s.system = std::move(given->values);
  if (given->help) s.help = own.help();
  return s;
}

} // namespace my_service
