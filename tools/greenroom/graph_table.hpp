// A graph at work as a table: a line for each node, and for each further input of it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <greenroom/tools/greenroom/graph_reading.hpp>

/// Returns the lines, the first of which are heads. Rates and times are those between the two readings; without the first one, or after a restart of the
/// service, they are unknown, and times are those of all items. Junctions, which the graph makes itself, are shown if they hold items.
std::vector<std::string> table_of(const graph_reading::reading* before, const graph_reading::reading& now);

/// Returns the first `columns` characters, of a text in UTF-8. Units: characters.
std::string cut(std::string text, std::size_t columns);

/// What went through an input since an earlier reading.
struct input_rate {
  std::string node;
  std::uint64_t input = 0;
  std::uint64_t replica = 0;
  double per_second = 0;
};
void describe(greenroom::http::schema<input_rate>& s);
/// Leaves out the inputs that the earlier reading does not know.
std::vector<input_rate> rates_of(const graph_reading::reading& before, const graph_reading::reading& now);
