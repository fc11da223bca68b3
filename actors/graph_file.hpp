// Graphs from TOML files: the functions are compiled and registered, how they are wired can change without a rebuild.
//
//   auto g = load_graph(nodes, "shop.toml");                   // result<graph>; nodes is a node_library
//   auto shop = run(sys, *std::move(g));
//   auto orders = shop->entry<order>("orders");                // the address behind an entry
//
//   [graph]
//   name = "shop"                            # the file's name if not given
//   libraries = ["./libshop_nodes.so"]       # of nodes, see node_plugin.hpp; beside this file
//   intensity = { restarts = 10, period = "10s" }
//
//   [nodes.intake]
//   run = "read"
//   settings = { file = "orders.csv" }       # for a function that takes a node_settings
//
//   [nodes.pricing]
//   run = "price"
//   ports = ["orders", "quotes"]             # names: its inputs, then its outputs
//   replicas = 4                             # 1 if not given
//   restart = "transient"                    # permanent, transient or temporary
//   backoff = { first = "10ms", most = "5s", factor = 2, jitter = 0.2, lasts = "10s" }
//   grace = "2s"
//   queue = "keep"                           # a queue_fate: drop_poison, dead_letter, keep or drop
//   deliveries = 3
//
//   [[edges]]
//   from = "intake"                          # or "intake.0", its first output, if it has more
//   to = "pricing.orders"                    # or by name
//   capacity = 256                           # 0: rendezvous; "unbounded"
//   when_full = "wait"                       # wait, reject, drop_newest or drop_oldest
//   expires_after = "500ms"                  # for ever if not given
//   broadcast = false                        # as are urgent, allow_cycle and by_key, options of an edge: see graph.hpp
//
//   [entries.orders]                         # a way in from outside, from an HTTP front say
//   to = "pricing.orders"
//   capacity = 256                           # and when_full, expires_after
//
//   [dead_letters]                           # an input that takes them
//   to = "clinic"
//   capacity = 64
//
//   [groups.sales]                           # nodes with a supervisor of their own
//   nodes = ["intake", "pricing"]
//   strategy = "one_for_all"                 # one_for_one, one_for_all or rest_for_one
//   intensity = { restarts = 1, period = "5s" }
//
// What is not given has the default of its struct: graph_options, node_options, edge_options, supervisor_options. A table [greenroom] is
// left to load_file() of options.hpp.
// Thread safety: owner only. Lifetime: the graph needs the library no more.
#pragma once

#include <filesystem>

#include <greenroom/actors/graph.hpp>
#include <greenroom/actors/node_library.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// Reads a graph; it is not checked yet, run() does that. Waits: blocks the thread.
/// Errors: not_found or io when the file cannot be read; parse, with all that is wrong with it, each with file, line and column: unknown tables,
/// keys, functions and ports, values out of range, ports whose types differ, libraries that cannot be loaded; unsupported in a build without TOML.
GREENROOM_EXPORT result<graph> load_graph(const node_library& nodes, const std::filesystem::path& file);

} // namespace greenroom
