// What `/graph.json` of a service says, read leniently: fields that this program does not know are passed over, and what is missing is
// unknown, so that it fits services of other versions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/json.hpp>
#include <greenroom/tools/greenroom/url_text.hpp>

namespace graph_reading {

struct input {
  std::uint64_t number = 0;
  std::uint64_t replica = 0;
  std::string type;
  std::string limits;
  std::uint64_t accepted = 0;
  std::uint64_t handled = 0;
  std::uint64_t failed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t queued = 0;
  std::optional<std::uint64_t> capacity; // none: without bound, or unknown
  std::optional<std::uint64_t> oldest_ms;
  std::optional<std::uint64_t> blocked_senders;
  std::optional<std::uint64_t> handling_ns; // of all items so far
};
void describe(greenroom::http::schema<input>& s);

struct node {
  std::string name;
  std::uint64_t replicas = 1;
  std::uint64_t running = 0;
  std::uint64_t restarts = 0;
  bool junction = false;
  std::optional<std::string> state;
  std::optional<std::uint64_t> knot; // the deadlock that it is part of
  std::uint64_t place = 0;           // which of the graph's places it runs at
  bool elsewhere = false;            // not in the process that says this
  std::vector<input> inputs;
};
void describe(greenroom::http::schema<node>& s);

struct edge {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t input = 0;
  std::uint64_t replica = 0;
  bool dead_letters = false;
  bool crosses = false; // to another process
};
void describe(greenroom::http::schema<edge>& s);

struct entry {
  std::string name;
  std::uint64_t to = 0;
};
void describe(greenroom::http::schema<entry>& s);

/// A process of a graph that is split.
struct place {
  std::string name;
  std::string address;
  std::string state;
};
void describe(greenroom::http::schema<place>& s);

struct graph {
  std::string name;
  std::vector<node> nodes;
  std::vector<edge> edges;
  std::vector<entry> entries;
  std::vector<place> places; // none: it is whole
};
void describe(greenroom::http::schema<graph>& s);

/// Returns whether nothing more goes into the input.
bool is_full(const input& in);

/// A graph at one moment.
struct reading {
  graph what;
  std::chrono::steady_clock::time_point when;
};

/// Reads the JSON. Errors: what is wrong with it; also for edges that lead nowhere. Texts come without control characters.
greenroom::result<graph> parse(std::string_view json);

/// Asks one service. Thread safety: the thread that made it.
class source {
public:
  /// Where its JSON is.
  explicit source(cli::service_address at);

  const std::string& url() const noexcept { return from_.url(); }
  /// Waits: blocks the thread, for a few seconds at most. Errors: what went wrong, in a sentence.
  greenroom::result<reading> read();

private:
  cli::url_text from_;
};

} // namespace graph_reading
