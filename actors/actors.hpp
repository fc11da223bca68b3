// All of the actors layer in one include, for examples and small programs; libraries include what they use.
// See actors/README.md for which piece serves which situation.
// Thread safety: nothing here runs.
#pragma once

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/batcher.hpp>
#include <greenroom/actors/cache.hpp>
#include <greenroom/actors/chunk_pipeline.hpp>
#include <greenroom/actors/counter.hpp>
#include <greenroom/actors/debounce.hpp>
#include <greenroom/actors/guards.hpp>
#include <greenroom/actors/link.hpp>
#include <greenroom/actors/monitor.hpp>
#include <greenroom/actors/progress.hpp>
#include <greenroom/actors/registry.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/actors/scheduled_jobs.hpp>
#include <greenroom/actors/singleflight.hpp>
#include <greenroom/actors/supervisor.hpp>
#include <greenroom/actors/turn_taking.hpp>
#include <greenroom/actors/worker_pool.hpp>
