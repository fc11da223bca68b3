// What stands at an address, asked for anew each time. Thread safety: the thread that made it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/client.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/tls.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>

namespace cli {

struct service_address {
  std::string url;
  std::optional<greenroom::tls_client> tls; ///< of https
};

/// For commands that take an address.
inline constexpr option ca_option{"--ca", "FILE", "for https: whom to trust, in place of those whom the system trusts"};

/// Whether it is the address of a service and no file.
bool is_url(std::string_view text);

/// Reads the first argument and --ca. Without a scheme it is http; without a path it gets this one. Errors: a sentence.
greenroom::result<service_address> read_address(const arguments& given, std::string_view path);

class url_text {
public:
  /// `question` ends the sentence about an answer that is no success: "is this a service that shows its graph?"
  url_text(service_address at, std::string question);

  const std::string& url() const noexcept { return at_.url; }
  /// Waits: blocks the thread, for a few seconds at most. Errors: what went wrong, in a sentence.
  greenroom::result<std::string> read();

private:
  service_address at_;
  std::string question_;
  greenroom::actor_system sys_;
  greenroom::http::client web_;
};

} // namespace cli
