// A service as a graph of actors, behind the HTTP front: orders -> numbers -> validate -> price x4 -> ledger x2 (by customer), which is
// audited, shipped and notified of; with refunds, complaints and a report every minute. main() mounts the page /graph, which shows it at work.
#pragma once

#include <chrono>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/http/server.hpp>

#include "shop_nodes.hpp"

class shop {
public:
  /// Errors: the system stops.
  static greenroom::result<shop> open(greenroom::actor_system& sys);

  /// Adds its routes. Requires: outlives the server.
  void add_routes(greenroom::http::server& front) const;
  /// Counts the actors it consists of.
  std::uint64_t actors() const;
  /// Has one of them killed now and then, to see it recover. Returns who does it.
  greenroom::actor start_vandal(greenroom::actor_system& sys, std::chrono::milliseconds every);
  const greenroom::service& running() const noexcept { return graph_; }

private:
  shop(greenroom::service graph, books b, greenroom::address<order> orders, greenroom::address<refund> refunds)
      : graph_(std::move(graph)), books_(std::move(b)), orders_(std::move(orders)), refunds_(std::move(refunds)) {}

  greenroom::service graph_;
  books books_;
  greenroom::address<order> orders_;
  greenroom::address<refund> refunds_;
  greenroom::actor vandal_;
};
