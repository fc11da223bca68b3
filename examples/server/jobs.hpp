// Jobs that run on schedules, behind /jobs: harmless ones, to be looked at, run by hand and paused.
#pragma once

#include <cstdint>
#include <filesystem>

#include <greenroom/actors/scheduled_jobs.hpp>
#include <greenroom/http/routes.hpp>

/// How many there are: each is an actor while it runs.
inline constexpr std::uint64_t server_jobs = 4;

/// Starts them; kept in a file, or in memory if it is empty. Errors: those of the file.
greenroom::result<greenroom::scheduled_jobs> open_jobs(greenroom::actor_system& sys, const std::filesystem::path& file);
/// Returns their routes, with a limit for each client.
greenroom::http::routes job_routes(const greenroom::scheduled_jobs& jobs);
