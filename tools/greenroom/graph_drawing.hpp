// A graph at work as a drawing, in the languages of Graphviz and of Mermaid.
#pragma once

#include <string>

#include <greenroom/tools/greenroom/graph_reading.hpp>

/// Edges say what they hold; full ones are thick and red. Nodes that have been restarted say how often.
std::string dot_of(const graph_reading::graph& g);
std::string mermaid_of(const graph_reading::graph& g);
