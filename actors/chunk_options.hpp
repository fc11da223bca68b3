// chunk_options: how process_chunks() of chunk_pipeline.hpp goes about its work: how much at once, in which order, what after a failure, and where it keeps how
// far it is. The defaults suit what computes over a large file; give a checkpoint to jobs that take longer than you would wait again.
// Thread safety: as a value. Lifetime: owns what it holds, but for the meter, which is a counted handle.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

#include <greenroom/actors/progress.hpp>
#include <greenroom/runtime/clock.hpp>

namespace greenroom {

/// Options of process_chunks().
struct chunk_options {
  /// How many chunks are mapped at once, up to 4,096; 0: as many as the system has workers. Each has a buffer of the size of a chunk, twice that at most.
  std::size_t workers = 0;
  /// How many chunks are begun and not yet reduced, at most, up to 1,000,000; 0: two for each worker. It bounds the memory: as many mapped values may wait for their turn.
  std::size_t in_flight = 0;
  /// Whether values are reduced in the order of their chunks. Without, a slow chunk holds up nobody.
  bool ordered = true;
  /// How often a chunk is tried, from 1, unless the error says that it would be the same again (parse, invalid_argument, limit, unsupported).
  unsigned attempts = 3;
  /// The pause before the second attempt; it doubles with each further one.
  duration pause = std::chrono::milliseconds(100);
  /// The file in which the job keeps how far it is, and from which it goes on. It is removed when the job is done. None: it begins anew.
  std::filesystem::path checkpoint = {};
  /// How often that is written, which takes two flushes of the disk; 0: whenever something was reduced.
  duration checkpoint_every = std::chrono::seconds(1);
  /// A line that says what is computed: a checkpoint of another one is refused, as that of another input is.
  std::string job = {};
  /// Who wants to know keeps a copy.
  progress_meter meter = {};
};

} // namespace greenroom
