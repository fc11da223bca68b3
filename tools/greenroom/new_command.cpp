#include <greenroom/tools/greenroom/new_command.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <cerrno>

#include <fmt/format.h>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/version.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/json_output.hpp>

using namespace greenroom;
namespace fs = std::filesystem;

namespace cli {
namespace {

/// What --json prints.
struct made_project {
  std::string name;
  std::string folder;            // absolute
  std::string prefix;            // of the installed Greenroom that this program is part of; "" if it is none
  std::vector<std::string> made; // files, by their paths in the folder
  std::vector<std::string> kept; // those that were there already
};

void describe(http::schema<made_project>& s) {
  s.field("name", &made_project::name);
  s.field("folder", &made_project::folder);
  s.field("prefix", &made_project::prefix);
  s.field("made", &made_project::made);
  s.field("kept", &made_project::kept);
}

// -- the name ---------------------------------------------------------------------------------------------------

constexpr std::size_t longest_name = 32; // of a user of Debian, which the Dockerfile makes

/// Names that would be no namespace, or a target that CMake has already.
constexpr std::string_view taken[] = {
    "alignas", "alignof", "and",      "asm",     "auto",     "bool",      "break",     "case",      "catch",
    "char",    "class",   "concept",  "const",   "continue", "default",   "delete",    "do",        "double",
    "else",    "enum",    "explicit", "export",  "extern",   "false",     "float",     "for",       "friend",
    "goto",    "if",      "inline",   "int",     "long",     "mutable",   "namespace", "new",       "noexcept",
    "not",     "nullptr", "operator", "or",      "private",  "protected", "public",    "register",  "requires",
    "return",  "short",   "signed",   "sizeof",  "static",   "struct",    "switch",    "template",  "this",
    "throw",   "true",    "try",      "typedef", "typeid",   "typename",  "union",     "unsigned",  "using",
    "virtual", "void",    "volatile", "while",   "xor",      "std",       "posix",     "greenroom", "testing",
    "all",     "clean",   "help",     "install", "test",     "package",   "main",      "linux",     "unix"};

result<void> check_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  const bool is_name = !name.empty() && name.size() <= longest_name && is_letter(name.front()) &&
                       std::all_of(name.begin(), name.end(), fits) && name.back() != '-' && name.back() != '_' &&
                       name.find("--") == name.npos && name.find("__") == name.npos;
  if (!is_name)
    return error(
        errc::invalid_argument,
        fmt::format("'{}' cannot be the name of a project: take up to {} lower-case letters, digits, and single '-' or "
                    "'_' between them, beginning with a letter",
                    name, longest_name));
  if (std::find(std::begin(taken), std::end(taken), name) != std::end(taken))
    return error(errc::invalid_argument,
                 fmt::format("'{}' cannot be the name of a project: C++ or CMake has it already", name));
  return {};
}

// -- the files --------------------------------------------------------------------------------------------------

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Puts the name in, in the three ways that it is spelled.
std::string for_name(std::string_view text, const std::string& name) {
  std::string identifier = name, variable;
  std::replace(identifier.begin(), identifier.end(), '-', '_');
  for (const char c : identifier) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string made(text);
  replace_all(made, "my-service", name);
  replace_all(made, "my_service", identifier);
  replace_all(made, "MY_SERVICE", variable);
  replace_all(made, "@GREENROOM@", GREENROOM_VERSION);
  return made;
}

error failed(std::string_view what, const fs::path& path, std::error_code why) {
  return error(errc::io, fmt::format("cannot {}: {}: {}", what, path.native(), why.message()));
}

/// Returns whether the file was made; one that is there already stays as it is.
result<bool> make_file(const fs::path& path, const std::string& text) {
  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  if (problem) return failed("make the folder", path.parent_path(), problem);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wxe"), &std::fclose);
  if (file == nullptr && errno == EEXIST) return false;
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                       std::fflush(file.get()) == 0;
  if (!written) return failed("write", path, {errno, std::generic_category()});
  return true;
}

/// Errors: invalid_argument for a folder that has something in it already, unless `force`.
result<void> check_folder(const fs::path& folder, bool force) {
  std::error_code problem;
  const auto found = fs::status(folder, problem);
  if (!fs::exists(found)) return {};
  if (!fs::is_directory(found))
    return error(errc::already_exists, fmt::format("{} is there and no folder", folder.native()));
  const bool is_empty = fs::is_empty(folder, problem);
  if (problem) return failed("look into", folder, problem);
  if (is_empty || force) return {};
  return error(errc::already_exists,
               fmt::format("{} is not empty; --force makes the files that are not there, and keeps the others",
                           folder.native()));
}

/// The prefix of the installation that this program is part of; "" if it stands in a build.
std::string own_prefix() {
  std::error_code problem;
  const auto program = fs::read_symlink("/proc/self/exe", problem);
  const auto prefix = program.parent_path().parent_path();
  return !problem && fs::exists(prefix / "include/greenroom/runtime/version.hpp", problem) ? prefix.native() : "";
}

void print_next_steps(const made_project& p, const std::string& folder) {
  for (const auto& file : p.kept) std::printf("kept as it was: %s/%s\n", folder.c_str(), file.c_str());
  const bool is_found = p.prefix.empty() || p.prefix == "/usr" || p.prefix == "/usr/local";
  const auto prefix = is_found ? "" : " -DCMAKE_PREFIX_PATH=" + p.prefix;
  std::printf("made %zu files in %s; now:\n\n  cd %s\n  cmake --preset release%s\n  cmake --build --preset release\n"
              "  ctest --preset release\n  build/release/%s\n",
              p.made.size(), folder.c_str(), folder.c_str(), prefix.c_str(), p.name.c_str());
}

int make(const arguments& given) {
  const auto& name = given.rest().front();
  if (const auto fine = check_name(name); !fine) return fail_usage(fine.error().message());
  const fs::path folder = given.text("--dir").value_or(name);
  if (folder.empty()) return fail_usage("--dir: its value is empty");
  if (const auto fine = check_folder(folder, given.has("--force")); !fine) return fail(fine.error().message());
  made_project p{name, fs::absolute(folder).lexically_normal().native(), own_prefix(), {}, {}};
  for (const auto& [path, text] : new_project) {
    const auto file = for_name(path, name);
    const auto made = make_file(folder / file, for_name(text, name));
    if (!made) return fail(made.error().message());
    (*made ? p.made : p.kept).push_back(file);
  }
  if (given.has("--json"))
    print_json(p);
  else
    print_next_steps(p, folder.native());
  return 0;
}

constexpr option new_options[] = {
    {"--dir", "DIR", "the folder to make it in (default ./NAME)"},
    {"--force", "", "make it in a folder that is not empty; files that are there are never overwritten"},
    json_option,
};

} // namespace

constinit const command new_command{"new",
                                    "NAME",
                                    "makes a service project that builds and passes its tests",
                                    "Makes a project of a service: a graph of supervised actors behind an HTTP front "
                                    "with deadlines, health checks, metrics and an orderly "
                                    "stop, with options, tests in virtual time, a Dockerfile and a systemd unit. NAME "
                                    "is that of the program, of lower-case letters, digits, "
                                    "'-' and '_'.\n\n  greenroom new shop && cd shop\n  cmake --preset release && "
                                    "cmake --build --preset release && ctest --preset release",
                                    new_options,
                                    make};

} // namespace cli
