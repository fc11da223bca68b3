#include <greenroom/runtime/semaphore.hpp>

#include <string>

namespace greenroom {

std::int64_t semaphore::checked_capacity(std::int64_t capacity) {
  if (capacity > 0) return capacity;
  throw usage_error("semaphore: it needs at least 1 permit, not " + std::to_string(capacity));
}

void semaphore::refuse(std::int64_t count) const {
  throw usage_error("semaphore: 1 to " + std::to_string(capacity()) + " permits can be acquired at once, not " +
                    std::to_string(count) + ": more than there are would wait for ever");
}

} // namespace greenroom
