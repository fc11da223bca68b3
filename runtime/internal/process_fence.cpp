#include <greenroom/runtime/internal/process_fence.hpp>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace greenroom::internal {
namespace {

bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

} // namespace

bool has_process_fence() noexcept {
  static const bool registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  return registered;
}

void process_fence() noexcept {
  if (has_process_fence()) membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

} // namespace greenroom::internal
