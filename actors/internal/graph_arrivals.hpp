// The end of an edge whose items come from another process.
//
// Items cross in batches, one at a time from each process: a batch is asked with, and answered by how many of it the input took. What is not answered is sent
// again, and what comes again is passed over; so the connection may break without an item lost or doubled. Requests cross each for itself.
// Thread safety: as actors. Lifetime: counted.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include <greenroom/actors/detail/graph_crossing.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom {
namespace detail { // where its inspect() is found

template <class Inspector>
bool inspect(Inspector& f, crossing_item& x) {
  return f.object(x).fields(f.field("trace", x.trace), f.field("bytes", x.bytes));
}

} // namespace detail

namespace internal {

struct crossing_batch {
  std::string from;         // the node that sends
  std::uint64_t life = 0;   // of its part of the graph
  std::uint64_t number = 0; // in that life: the same if it is sent again
  std::uint64_t type = 0;   // the fingerprint of what the sender takes the items for
  std::vector<detail::crossing_item> items;
  using reply = std::uint32_t; // how many were taken, the first ones
};
struct crossing_call {
  std::uint64_t type = 0;
  std::string bytes;         // of the message
  using reply = std::string; // the answer's
};
template <class Inspector>
bool inspect(Inspector& f, crossing_batch& x) {
  return f.object(x).fields(f.field("from", x.from), f.field("life", x.life), f.field("number", x.number),
                            f.field("type", x.type), f.field("items", x.items));
}
template <class Inspector>
bool inspect(Inspector& f, crossing_call& x) {
  return f.object(x).fields(f.field("type", x.type), f.field("bytes", x.bytes));
}

/// The way from other nodes to an input here. Thread safety: by the one actor at its end.
class way_in {
public:
  way_in(std::string input, const detail::crossing_kind& kind);

  const std::string input; // for sentences
  const detail::crossing_kind kind;
  const detail::crossing_type type;
  // One of the two is used. The addresses keep them open until the way ends.
  const mailbox<request<crossing_batch>> batches;
  const address<request<crossing_batch>> to_batches;
  const mailbox<request<crossing_call>> asked;
  const address<request<crossing_call>> to_asked;

  /// Returns why items of that type cannot be taken, if they cannot.
  result<void> check_type(std::uint64_t fingerprint) const;

  struct progress {
    std::uint64_t life = 0;
    std::uint64_t number = 0;
    std::uint32_t taken = 0;
  };
  /// Returns how far a batch has come; null if its sender was answered already, and has gone on. Errors: limit, too many nodes send.
  result<progress*> find(const crossing_batch& batch);

private:
  std::map<std::string, progress> seen_; // by who sends
};

/// Makes the actor at its end. `wires` has the input as an output.
std::shared_ptr<detail::child_start> start_way_in(std::source_location at, const detail::node_wires& wires,
                                                  std::shared_ptr<way_in> way);

} // namespace internal
} // namespace greenroom
