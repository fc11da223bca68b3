// The endpoints that do something: each is a function from a request to a response.
#pragma once

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/task.hpp>

greenroom::http::response hello();
greenroom::http::response echo(greenroom::http::request r);
/// Waits as many milliseconds as the query says, 3,000 if it does not. main() gives it a limit of two seconds.
greenroom::task<greenroom::http::response> slow_task(greenroom::http::request r);

/// For whoever restarts what is broken: it answers, so it lives.
greenroom::http::response health();
/// For whoever sends requests here: not once the stop has begun.
greenroom::http::response readiness(const greenroom::http::server* front);
