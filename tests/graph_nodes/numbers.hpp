// What the libraries of nodes in this folder share.
#pragma once

namespace test_nodes {

/// An item that crosses from one library to another.
struct number {
  int value;
};

/// From one process to another, too.
template <class Inspector>
bool inspect(Inspector& f, number& n) {
  return f.object(n).fields(f.field("value", n.value));
}

} // namespace test_nodes
