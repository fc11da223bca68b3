// What stands at an address, asked for anew each time. Thread safety: the thread that made it.
#pragma once

#include <string>

#include <greenroom/http/client.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/error.hpp>

namespace cli {

class url_text {
public:
  /// `question` ends the sentence about an answer that is no success: "is this a service that shows its graph?"
  url_text(std::string url, std::string question);

  const std::string& url() const noexcept { return url_; }
  /// Waits: blocks the thread, for a few seconds at most. Errors: what went wrong, in a sentence.
  greenroom::result<std::string> read();

private:
  std::string url_;
  std::string question_;
  greenroom::actor_system sys_;
  greenroom::http::client web_;
};

} // namespace cli
