// What the libraries of nodes in this folder share.
#pragma once

namespace test_nodes {

/// An item that crosses from one library to another.
struct number {
  int value;
};

} // namespace test_nodes
