// jobs_routes: scheduled jobs over HTTP: seen, run now, paused and resumed.
//
//   http::routes jobs = http::jobs_routes(my_jobs);         // GET "", GET /{name} with its history; POST /{name}/run, /pause, /resume, /cancel
//   front.mount("/jobs", std::move(jobs));
//
// The answers are JSON; what cannot be done is a problem (problem.hpp): 404 for a job that is not there, 409 for one that runs already, 429 if as many as may be are
// queued behind it. Who may do so is the business of the middlewares around it, or of where it is mounted. Needs a build with nlohmann-json.
// Thread safety: a value; calls come from any worker. Lifetime: it holds a handle: the jobs go on for as long as the server lives, unless they are stopped.
#pragma once

#include <greenroom/actors/scheduled_jobs.hpp>
#include <greenroom/http/routes.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Errors: usage_error if the build cannot read JSON.
GREENROOM_EXPORT routes jobs_routes(const scheduled_jobs& jobs);

} // namespace greenroom::http
