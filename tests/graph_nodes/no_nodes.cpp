// A shared library that has nothing to do with nodes.
extern "C" int graph_nodes_of_nobody();
extern "C" int graph_nodes_of_nobody() { return 1; }
