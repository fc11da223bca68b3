// graph_page: shows graphs at work to people and programs: a live page, JSON, and the languages of Graphviz and Mermaid.
//
//   front.mount("/", http::graph_page(shop));              // GET /graph, /graph.json, /graph.dot, /graph.mmd
//   http::server inside(sys, {.host = "10.0.0.7", .port = 9000});
//   inside.mount("/debug", http::graph_page({shop, bank}));  // or apart from the public: at an address of its own
//
// The page draws the graph with the states of its nodes, what waits on its edges, and the knots of actors that wait for each other. It needs
// nothing but its own address, and changes nothing: who may see it is the business of the middlewares around it, or of where it is mounted.
// Thread safety: a value; calls come from any worker. Lifetime: it holds the services, so their entries stay open until they are drained or
// stopped; their systems outlive the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/http/routes.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// What looking may cost. Thread safety: as a value.
struct graph_page_options {
  /// Knots are searched for no more often than this, however many look on; what is shown may be so old.
  std::chrono::milliseconds knots_every{1'000};
  /// With more actors in the system none are searched for, as that would cost some milliseconds each time. 0: never. Units: actors
  std::size_t knots_up_to = 10'000;
};

/// Returns the routes /graph (the page), /graph.json, /graph.dot, /graph.mmd, /graph/list.json (the names of the graphs) and
/// /graph/actor.json?node=NAME (one node, with what its first actors did last: items, lines
/// of the log, see flight_recorder.hpp). All but the first two take ?graph=NAME, as does /graph.json; without it
/// they show the first. 404 for a graph or a node that is not there.
/// Errors: usage_error if there is no service, or two have one name.
/// Cost: of an answer about 3 us for each node, and a lock of each mailbox for a moment; nothing while nobody asks.
GREENROOM_EXPORT routes graph_page(std::vector<service> shown, graph_page_options how = {});
GREENROOM_EXPORT routes graph_page(service shown, graph_page_options how = {});

} // namespace greenroom::http
