// Has a function of a name that the first library has, too.
#include <greenroom/actors/node_plugin.hpp>

namespace {
greenroom::task<> count(greenroom::address<int> out) { (void)co_await out.send(1); }
} // namespace

GREENROOM_NODES(library) { library.add("another", count).add("count", count); }
