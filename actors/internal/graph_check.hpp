// What is wrong with a graph, in sentences.
// Thread safety: as values.
#pragma once

#include <string>
#include <vector>

#include <greenroom/actors/graph.hpp>

namespace greenroom::internal {

std::vector<std::string> faults_of(const detail::graph_plan& plan);
std::vector<std::string> warnings_of(const detail::graph_plan& plan);

/// "output 0 of 'intake'", or "output 'orders' of 'intake'"
std::string name_of_output(const detail::graph_plan& plan, std::size_t node, std::size_t number);
std::string name_of_input(const detail::graph_plan& plan, std::size_t node, std::size_t number);

/// Returns which nodes can be reached from the input that takes the dead letters: those cannot send any. Empty: nobody takes them.
std::vector<bool> behind_dead_letters(const detail::graph_plan& plan);

/// Returns which nodes may send dead letters to that input; none if there is no such input.
std::vector<bool> senders_of_dead_letters(const detail::graph_plan& plan);

/// "drop_oldest"; "" for a number that is none
const char* to_string(overflow policy) noexcept;
/// "bounded(64, overflow::wait)"
std::string text_of(const mailbox_limits& limits);

} // namespace greenroom::internal
