// GREENROOM_SANITIZED is defined where a sanitizer watches memory or threads: it wants to see each object and each call itself.
// Thread safety: there is only a macro.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GREENROOM_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define GREENROOM_SANITIZED
#endif
#endif
