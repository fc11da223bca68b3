// Errors of CAF and ours, into each other.
#pragma once

#include <string>

#include <caf/actor_system.hpp>
#include <caf/error.hpp>

#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

/// Returns the text that a runtime_error carries, or what the system renders.
std::string sentence_of(const caf::actor_system& where, const caf::error& why);

/// Returns the error of an answer to the request to `whom`.
error answer_error(const caf::actor_system& where, const std::string& whom, const caf::error& why);

/// Returns the error that says in CAF what a message was refused for, or what a request failed with.
caf::error refusal(errc why);
caf::error failure(const error& why);

} // namespace greenroom::internal
