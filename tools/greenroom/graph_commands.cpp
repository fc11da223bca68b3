#include <greenroom/tools/greenroom/graph_commands.hpp>

#include <greenroom/actors/graph_command.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/url_text.hpp>
#include <greenroom/tools/greenroom/watch_command.hpp>

namespace cli {
namespace {

constexpr option nodes_option{
    "--nodes", "LIBRARY",
    "a library with more functions, besides those that the file names; may be given several times"};

constexpr option deployment_option{"--deployment", "FILE",
                                   "a TOML file with the processes that the graph is split over, their addresses, "
                                   "and which nodes run where"};

/// The library reads them again: programs with nodes of their own have these commands, too.
int pass_on(const arguments& given) { return greenroom::graph_command({}, given.argc(), given.argv()); }

int draw(const arguments& given) {
  if (is_url(given.rest().front())) return draw_service(given);
  return given.has("--ca") ? fail_usage("--ca is for the address of a service") : pass_on(given);
}

constexpr option run_options[] = {
    nodes_option,
    deployment_option,
    {"--node", "NAME", "which process of the deployment this is: it runs the nodes that are placed there"},
    {"--for", "TIME", "drain it after so long"},
    {"--drain", "TIME",
     "how long that may take, before what is left is dropped: a duration such as 500ms, 2s, 5min or 1h (default 5s)"},
    json_option,
};

constexpr option check_options[] = {nodes_option, deployment_option, json_option};
constexpr option nodes_options[] = {nodes_option, json_option};

constexpr option graph_options[] = {
    nodes_option,
    deployment_option,
    {"--dot", "", "for Graphviz, as without an option"},
    {"--mermaid", "", "for Mermaid"},
    {"--json", "", "as JSON"},
    ca_option,
};

} // namespace

constinit const command run_command{
    "run",
    "FILE",
    "runs the graph of a file until it ends or is told to",
    "Runs a graph of actors that a TOML file describes, until it ends, or SIGINT or "
    "SIGTERM comes: it is then drained, node behind "
    "node, and what became of the items of each edge is printed.\n\n"
    "With a deployment it runs the part of one process; the others may be started before or after it.\n\n"
    "The options of the system may stand in the file, too, in its table [greenroom].",
    run_options,
    pass_on,
    true};

constinit const command check_command{"check",
                                      "FILE",
                                      "says what is wrong with the graph of a file",
                                      "Reads the file and the libraries that it names, and lists all their faults with "
                                      "line and column, as compilers do.\n\n--json "
                                      "prints the file, whether it is fine, the name of the graph with its numbers of "
                                      "nodes and edges, and the texts of faults and warnings.",
                                      check_options,
                                      pass_on};

constinit const command graph_command{"graph",
                                      "FILE|URL",
                                      "draws the graph of a file, or of a service that runs",
                                      "Prints the graph for Graphviz or Mermaid, or as JSON. A URL is the address of a "
                                      "service, such as http://127.0.0.1:8080, or that of "
                                      "its /graph.json; its drawing shows what is full and what waits, too.\n\n  "
                                      "greenroom graph http://127.0.0.1:8080 | dot -Tsvg > shop.svg",
                                      graph_options,
                                      draw};

constinit const command nodes_command{
    "nodes",
    "[LIBRARY...]",
    "lists the functions that the nodes of graphs may run",
    "Lists the functions of the libraries with the types of their inputs and "
    "outputs, and the keys by which edges may be divided.\n\n"
    "--json prints functions with their name, inputs, outputs and the library that they are from, and keys.",
    nodes_options,
    pass_on};

} // namespace cli
