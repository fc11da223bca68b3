// What connects the part of a graph that runs here with those that run elsewhere.
// Thread safety: any thread. Lifetime: counted; it is closed when the part has ended.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/detail/graph_crossing.hpp>
#include <greenroom/actors/graph_deployment.hpp>
#include <greenroom/actors/graph_look.hpp>
#include <greenroom/actors/internal/graph_arrivals.hpp>

namespace greenroom::internal {

/// Another node. Thread safety: any thread.
class other_node {
public:
  explicit other_node(std::string n) : name(std::move(n)) {}

  const std::string name;

  /// None: it is the part's own, or has no address; or the part is closed.
  std::optional<node_peer> peer() const;
  void connect(std::optional<node_peer> peer);
  /// Notes why nothing crosses to it; "" if all is well. Returns whether that is new.
  bool note(std::string trouble);
  std::string trouble() const;

private:
  mutable std::mutex lock_; // guards the following
  std::optional<node_peer> peer_;
  std::string trouble_;
};

class graph_part {
public:
  /// Errors: as those of node.
  graph_part(actor_system& sys, const deployment& where, std::size_t here);

  /// Listens, and connects to the others. Errors: those of node::start().
  result<void> start();
  /// The others see it as down. Nothing of it needs the system any more.
  void close() noexcept;

  /// Makes the way to an input on another node.
  std::shared_ptr<detail::way_out> way_to(std::size_t place, const std::string& published,
                                          const detail::crossing_kind& kind);
  /// Makes the way from the others to an input here. Errors: already_exists.
  result<std::shared_ptr<way_in>> way_from(const std::string& published, const std::string& input,
                                           const detail::crossing_kind& kind);
  /// Returns whether items come from elsewhere.
  bool takes() const noexcept { return takes_; }

  std::size_t here() const noexcept { return here_; }
  const std::string& name_of(std::size_t place) const { return where_.nodes()[place].node.name; }
  /// Returns the nodes as they are now.
  std::vector<place_look> look() const;

private:
  actor_system& sys_;
  const deployment where_;
  const std::size_t here_;
  std::unique_ptr<node> node_;
  std::vector<std::shared_ptr<other_node>> nodes_;
  bool takes_ = false; // constant once started
};

/// Returns the nodes of a deployment that does not run.
std::vector<place_look> look_of(const deployment& where);

} // namespace greenroom::internal
