// load_target: where a load goes, and the request as it goes there. Thread safety: as values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/transport.hpp>

namespace load {

struct load_target {
  greenroom::endpoint to;
  bool secure = false;
  std::string authority; ///< "127.0.0.1:8080", for the field Host
  std::string path;      ///< with its query: "/hello?n=1"
};

/// Reads an address; without a scheme it is http. Errors: a sentence.
greenroom::result<load_target> read_target(std::string_view url);

/// Returns the request as bytes. `fields` are lines as "Accept: text/plain". Errors: a sentence, for what could not be sent as it is.
greenroom::result<std::string> request_bytes(const load_target& to, std::string_view method,
                                             const std::vector<std::string>& fields, std::string_view body);

} // namespace load
