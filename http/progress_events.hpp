// progress_events: how far a job is, as server-sent events: for a bar in a browser.
//
//   front.get("/copies/{id}/events", [](const http::request& r) { return http::progress_events(r, meter_of(r)); });
//
//   event: progress
//   data: {"state":"running","total":1000,"done":520,"fraction":0.52,"rate":100,"remaining_ms":4800,"elapsed_ms":5200,"retries":0}
//
// When the job is over there is one last event, named as its state: "done", "failed", "cancelled"; then the answer ends. A client that comes back after
// that gets the last event again: a page closes its EventSource when it has seen it.
// Thread safety: any thread. Lifetime: an answer keeps its meter.
#pragma once

#include <chrono>
#include <string>

#include <greenroom/actors/progress.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Returns it as JSON, as above; `remaining_ms` is null where nobody knows.
GREENROOM_EXPORT std::string progress_json(const progress& p);

/// Answers with an event at once, one whenever something has changed, `every` so often at most, and the last one. While nothing changes one
/// goes out every 15 s, since some proxies close a connection that is silent.
GREENROOM_EXPORT response progress_events(const request& r, progress_meter meter,
                                          std::chrono::milliseconds every = std::chrono::milliseconds(250));

} // namespace greenroom::http
