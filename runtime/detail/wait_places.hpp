// What the wait records of asks and of turns point to, for the search for deadlocks, which knows neither.
// Thread safety: as noted at the fields.
#pragma once

#include <atomic>
#include <cstdint>

namespace greenroom::detail {

class mailbox_base;

/// Where an asker waits for its answer. The request holds the other end, an end_word of kind share.
struct reply_place {
  const mailbox_base* asked =
      nullptr; // where the request was sent first; written before the wait, and alive while it lasts
};

/// Something counted whose every holder has an end_word of kind share, and may end the waits in it.
struct shared_place {
  std::atomic<std::uint32_t> refs{1};
};

} // namespace greenroom::detail
