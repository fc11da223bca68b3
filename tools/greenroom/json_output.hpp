// How --json prints: one document on one line of standard output. What is printed is a structure with a describe(), see http/json.hpp.
#pragma once

#include <cstdio>

#include <greenroom/http/json.hpp>

namespace cli {

template <class T>
void print_json(const T& value) {
  std::printf("%s", greenroom::http::json_of(value).body().c_str());
  std::fflush(stdout);
}

} // namespace cli
