// What a shared library's file says of its own length. The system's loader maps it without a look at that, so that a file which was cut off, as by a
// copy that broke, would end the process with SIGBUS. Thread safety: any thread.
#pragma once

#include <filesystem>

#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

/// Checks that a file is a shared library in ELF, and as long as its tables say; what else may be wrong with it is for the loader to find.
/// Waits: blocks the thread. Errors: not_found; io, it cannot be read, or is cut off; parse, it is none.
result<void> check_library_file(const std::filesystem::path& file);

} // namespace greenroom::internal
