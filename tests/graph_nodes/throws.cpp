// Its registration fails.
#include <stdexcept>

#include <greenroom/actors/node_plugin.hpp>

GREENROOM_NODES(library) {
  (void)library;
  throw std::runtime_error("no licence");
}
