#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include <greenroom/actors/detail/build_parts.hpp>
#include <greenroom/http/detail/build_parts.hpp>
#include <greenroom/runtime/options.hpp>
#include <greenroom/runtime/version.hpp>
#include <greenroom/tools/greenroom/doctor_checks.hpp>

using namespace greenroom;
using detail::build_part;

namespace doctor {
namespace {

std::string_view major_of(std::string_view version) { return version.substr(0, version.find('.')); }

finding of_part(const build_part& p) {
  finding f{.name = p.name, .why = "A part that Greenroom was built with."};
  if (p.built.empty()) {
    f.level = level::note;
    f.value = "left out";
    f.why = "Without it " + p.without.substr(0, p.without.find(':')) + ".";
    f.change = p.without.substr(std::min(p.without.find(": ") + 2, p.without.size()));
    return f;
  }
  f.value = p.found.empty() ? (p.built == "yes" ? "built in" : p.built) : p.found;
  if (p.found.empty() || p.built == "yes" || p.found == p.built) return f;
  f.value = fmt::format("built with {}, found {}", p.built, p.found);
  // Of the same major version they go together, as distributions mend them; CAF's promise nothing of the kind.
  if (p.name != "CAF" && major_of(p.built) == major_of(p.found)) return f;
  f.level = level::warning;
  f.why = "A program that was compiled for one version and runs with another may do anything.";
  f.change = "build Greenroom anew, or install the version that it was built with";
  return f;
}

finding own_version() {
  finding f{.name = "greenroom", .value = GREENROOM_VERSION ", g++ " __VERSION__, .why = "For reports of faults."};
#ifndef NDEBUG
  f.level = level::note;
  f.value += ", with assertions";
  f.why = "Assertions and missing optimization make it several times slower.";
  f.change = "cmake --preset release";
#endif
  return f;
}

finding variables() {
  finding f{.name = "environment",
            .value = "fine",
            .why = "Programs read their options from variables with GREENROOM_ in front."};
  const auto read = load_environment({});
  if (!read) {
    f.level = level::warning;
    f.value = std::string(read.error().message());
    f.why = "A program that reads its options from the environment refuses to start.";
    f.change = "unset the variable, or mend it";
    return f;
  }
  if (read->log_level != "trace" && read->log_level != "debug") return f;
  f.level = level::note;
  f.value = "GREENROOM_LOG_LEVEL=" + read->log_level;
  f.why = "So many lines cost more than the work that they tell of.";
  f.change = "export GREENROOM_LOG_LEVEL=info";
  return f;
}

} // namespace

std::vector<finding> check_build() {
  std::vector<finding> all{own_version()};
  for (const auto& parts : {detail::runtime_parts(), detail::actors_parts(), http::detail::build_parts()}) {
    for (const auto& p : parts) all.push_back(of_part(p));
  }
  all.push_back(variables());
  return all;
}

} // namespace doctor
