// What `greenroom doctor` looks at, row by row: what the machine and its limits do to a service of actors. Files of the kernel are read
// below a root, so that each row can be tried on a tree that a test makes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <greenroom/http/json.hpp>

namespace doctor {

enum class level {
  ok,
  note,   // may be meant so
  warning // bites under load
};

struct finding {
  std::string name = {}; // "open files"
  doctor::level level = doctor::level::ok;
  std::string value = {};  // as it is now
  std::string why = {};    // why it matters, in a sentence
  std::string change = {}; // what to do or to type; "" where there is nothing to change
};

void describe(greenroom::http::schema<doctor::level>& s);
void describe(greenroom::http::schema<finding>& s);

// Each returns its rows in the order in which they are shown. `root` is the place of the folders proc, sys and usr.

/// The limits of the process and its control groups.
std::vector<finding> check_limits(const std::filesystem::path& root);
/// The settings of the kernel, its clock and the time zones.
std::vector<finding> check_kernel(const std::filesystem::path& root);
/// What Greenroom was built with, and the variables that its programs read.
std::vector<finding> check_build();

} // namespace doctor
