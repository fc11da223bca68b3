#include <greenroom/tools/greenroom/man_command.hpp>

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include <greenroom/runtime/options.hpp>
#include <greenroom/runtime/version.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/commands.hpp>

namespace cli {
namespace {

/// As roff takes it for itself.
std::string escaped(std::string_view text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

/// Paragraphs; those that begin with a space are examples.
std::string paragraphs(std::string_view about) {
  std::string text;
  while (!about.empty()) {
    const auto end = std::min(about.find("\n\n"), about.size());
    const auto one = about.substr(0, end);
    text += one.starts_with(' ') ? ".PP\n.nf\n" + escaped(one) + "\n.fi\n" : ".PP\n" + escaped(one) + "\n";
    about.remove_prefix(std::min(end + 2, about.size()));
  }
  return text;
}

std::string option_text(std::string_view name, std::string_view value, std::string_view meaning) {
  const auto head = value.empty() ? fmt::format(".B {}", escaped(name))
                                  : fmt::format(".BI {} \" {}\"", escaped(name), escaped(value));
  return fmt::format(".TP\n{}\n{}.\n", head, escaped(meaning));
}

std::string command_text(const command& c) {
  auto text = fmt::format(".SS {}\n.B {}\n{}", escaped(c.name), escaped(synopsis_of(c)), paragraphs(c.about));
  for (const auto& o : c.options) {
    if (!o.meaning.empty()) text += option_text(o.name, o.value, o.meaning);
  }
  return text;
}

constexpr std::string_view head = R"(.SH NAME
greenroom \- runs, checks, draws, watches and measures services of actors
.SH SYNOPSIS
.B greenroom
.I COMMAND
.RI [ ARGUMENT ]...
.br
.B greenroom help
.RI [ COMMAND ]
.br
.B greenroom \-\-version
.SH DESCRIPTION
The command of Greenroom, Go's concurrency as supervised actors in C++20 on CAF. It makes projects, runs services whose wiring stands in a file, and
looks at those that run.
.PP
.B \-\-help
behind a command prints what stands here of it; an argument
.B \-\-
ends the options. Results go to standard output, what is wrong to standard error. With
.B \-\-json
the result is one JSON document on one line.
.SH COMMANDS
)";

constexpr std::string_view tail = R"(.SH EXIT STATUS
.TP
.B 0
It is done, and nothing is wrong.
.TP
.B 1
A finding (a fault in a file, a warning of
.BR doctor ,
items that are unaccounted for), or a failure; standard error says which.
.TP
.B 2
The command line is wrong; of
.BR "ledger verify" ,
also a journal that cannot be read.
.TP
.B 130
SIGINT has ended it before there was a result (143: SIGTERM).
.SH ENVIRONMENT
.TP
.BI GREENROOM_ OPTION
Each option of the system, in capitals and with underscores:
.B GREENROOM_WORKERS
for
.BR \-\-workers .
A variable that begins so and is no option is an error.
.SH FILES
.TP
.I graph.toml
A graph for
.BR run ", " check " and " graph :
nodes, edges and libraries; see greenroom/actors/graph_file.hpp. Its table [greenroom] may have the options of the system, as may the file of
.BR \-\-config .
.TP
.I libNAME.so
A library of nodes; see greenroom/actors/node_plugin.hpp.
.TP
.I share/greenroom/node_certificates
A script that makes certificates for nodes that listen elsewhere than at loopback, by openssl; without arguments it says how.
.SH SEE ALSO
The headers in
.I include/greenroom
say what each piece promises; README.md and ARCHITECTURE.md beside the examples in
.I share/doc/greenroom
say where to begin.
)";

int print_page(const arguments&) {
  std::string text = ".\\\" Made by `greenroom man` from the table of its commands.\n";
  text += fmt::format(".TH GREENROOM 1 \"\" \"greenroom {}\" \"User Commands\"\n", GREENROOM_VERSION);
  text += head;
  for (const auto* c : commands()) {
    if (!c->is_hidden) text += command_text(*c);
  }
  text += ".SH OPTIONS OF THE SYSTEM\nCommand line over environment over file.\n";
  text += option_text("--config", "FILE", "a TOML file with a table [greenroom] of the following options");
  for (const auto& o : greenroom::described_options()) text += option_text(o.argument, "VALUE", o.meaning);
  text += tail;
  std::fputs(text.c_str(), stdout);
  return 0;
}

} // namespace

constinit const command man_command{
    "man", "", "prints the manual page", "Prints the manual page, in roff.", {}, print_page, false, true};

} // namespace cli
