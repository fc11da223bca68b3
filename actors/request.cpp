#include <greenroom/actors/request.hpp>

#include <string>

#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::detail {

void throw_request_consumed(const char* what) {
  throw usage_error("request: " + std::string(what) +
                    ": it was consumed already by reply(), fail(), forward() or a move; a request is answered once");
}

context ended_context() { return this_actor::system().context().with_deadline(time_point::min()); }

} // namespace greenroom::detail
