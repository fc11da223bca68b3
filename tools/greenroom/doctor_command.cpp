#include <greenroom/tools/greenroom/doctor_command.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/doctor_checks.hpp>
#include <greenroom/tools/greenroom/json_output.hpp>

using namespace greenroom;

namespace doctor {

void describe(http::schema<doctor::level>& s) {
  s.value("ok", level::ok);
  s.value("note", level::note);
  s.value("warning", level::warning);
}

void describe(http::schema<finding>& s) {
  s.field("name", &finding::name);
  s.field("level", &finding::level);
  s.field("value", &finding::value);
  s.field("why", &finding::why);
  s.field("change", &finding::change);
}

/// What --json prints.
struct report {
  std::size_t warnings = 0;
  std::size_t notes = 0;
  std::vector<finding> findings;
};

void describe(http::schema<report>& s) {
  s.field("warnings", &report::warnings);
  s.field("notes", &report::notes);
  s.field("findings", &report::findings);
}

} // namespace doctor

namespace cli {
namespace {

doctor::report examine(const std::filesystem::path& root) {
  doctor::report r;
  for (auto& part : {doctor::check_limits(root), doctor::check_kernel(root), doctor::check_build()})
    r.findings.insert(r.findings.end(), part.begin(), part.end());
  const auto count = [&r](doctor::level l) {
    return static_cast<std::size_t>(
        std::count_if(r.findings.begin(), r.findings.end(), [l](const auto& f) { return f.level == l; }));
  };
  r.warnings = count(doctor::level::warning);
  r.notes = count(doctor::level::note);
  return r;
}

void print(const doctor::report& r) {
  constexpr const char* words[] = {"ok", "note", "WARNING"};
  std::size_t width = 0;
  for (const auto& f : r.findings) width = std::max(width, f.name.size());
  for (const auto& f : r.findings) {
    std::printf("%-7s  %-*s  %s\n", words[static_cast<int>(f.level)], static_cast<int>(width), f.name.c_str(),
                f.value.c_str());
    if (f.level == doctor::level::ok) continue;
    std::printf("         %s\n", f.why.c_str());
    if (!f.change.empty()) std::printf("         -> %s\n", f.change.c_str());
  }
  std::printf("\n%zu warning(s), %zu note(s)\n", r.warnings, r.notes);
}

int examine_machine(const arguments& given) {
  const auto r = examine(given.text("--root").value_or("/"));
  if (given.has("--json"))
    print_json(r);
  else
    print(r);
  return r.warnings == 0 ? 0 : 1;
}

constexpr option doctor_options[] = {json_option, {"--root", "DIR", ""}};

} // namespace

constinit const command doctor_command{"doctor",
                                       "",
                                       "says which limits of this machine bite a service",
                                       "Looks at the limits of the process and its control groups, at the settings of "
                                       "the kernel, and at what Greenroom was built with. Each row is "
                                       "ok, a note or a warning, with the value as it is, why it matters, and what to "
                                       "type. Ends with 1 if there is a warning.\n\n"
                                       "It sees what a process sees that is started as it is: run it where the service "
                                       "runs, as its user, in its container.\n\n--json prints the numbers of "
                                       "warnings and notes, and findings, each with its name, its level (ok, note, "
                                       "warning), its value, why it matters, and the change to make.",
                                       doctor_options,
                                       examine_machine};

} // namespace cli
