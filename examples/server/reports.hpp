// What the server says about itself: for people and scripts as JSON, for Prometheus as text.
#pragma once

#include <greenroom/http/message.hpp>
#include <greenroom/http/metrics.hpp>
#include <greenroom/http/server.hpp>

#include "kept_total.hpp"
#include "process.hpp"
#include "shop.hpp"

/// The request that asks is not counted among those in flight.
greenroom::http::response status(const greenroom::http::server* front, const kept_total* total, const shop* s,
                                 const processing* work);
/// Who waits for each other in vain, and who keeps a worker for too long.
greenroom::http::response deadlocks();
/// The last events, as JSON: of all actors, or of one, `?actor=17`.
greenroom::http::response flight(const greenroom::http::request& r);
/// For Prometheus. All of them outlive it.
greenroom::http::metrics metrics_page(const greenroom::actor_system& sys, const greenroom::http::server& front,
                                      const kept_total& total, const shop& s);
