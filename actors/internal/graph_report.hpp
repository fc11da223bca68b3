// What graph_command() prints, as text for people and as JSON, one document on one line.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <greenroom/actors/graph_look.hpp>
#include <greenroom/actors/node_library.hpp>

namespace greenroom::internal {

/// How a run went.
struct run_report {
  graph_look look = {};
  bool was_drained = false; ///< it did not end by itself
  std::string failure = {}; ///< a sentence; "" if there was none
};
/// A table of what became of the items on each edge.
std::string text_of(const run_report& r);
/// {"graph":"sums","ended":"by itself","failure":null,"conserved":true,"edges":[{"name":"a -> b","accepted":1,"handled":1,"failed":0,
/// "dropped":0,"queued":0}]}; ended is also "drained" or "failed".
std::string json_of(const run_report& r);

/// What a look at a file found.
struct check_report {
  std::string file;
  std::string graph = {}; ///< "" if it could not be read
  std::size_t nodes = 0;
  std::size_t edges = 0;
  std::vector<std::string> faults; ///< with their places, as for editors
  std::vector<std::string> warnings = {};
};
/// {"file":"shop.toml","fine":true,"graph":"shop","nodes":2,"edges":1,"faults":[],"warnings":[]}
std::string json_of(const check_report& r);

/// "name: inputs -> outputs", a line for each.
std::string text_of(const node_library& nodes);
/// {"functions":[{"name":"twice","inputs":["int"],"outputs":["int"],"from":"libnumbers.so"}],"keys":[{"name":"value","of":"int",
/// "from":"libnumbers.so"}]}
std::string json_of(const node_library& nodes);

} // namespace greenroom::internal
