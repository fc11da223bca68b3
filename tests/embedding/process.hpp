// What a process has that a library could change or leave behind.
#pragma once

#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <locale>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include <spdlog/spdlog.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace greenroom::test {

inline std::size_t entries_of(const char* folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder), &::closedir);
  std::size_t n = 0;
  while (const auto* entry = ::readdir(open.get())) n += entry->d_name[0] != '.';
  return n;
}
inline std::size_t threads() { return entries_of("/proc/self/task"); }
/// Counts what is open; the folder itself is, while it is read.
inline std::size_t descriptors() { return entries_of("/proc/self/fd") - 1; }

/// Waits until there are no more than `most` threads: one that was joined is in the kernel's list for a moment longer.
inline std::size_t threads_at_last(std::size_t most) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (threads() > most && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  return threads();
}

/// Units: bytes.
inline std::size_t heap_in_use() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return __sanitizer_get_current_allocated_bytes();
#else
  const auto all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
#endif
}

/// Memory that is in RAM. Units: bytes.
inline std::size_t resident() {
  std::size_t total = 0;
  std::size_t pages = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"), &std::fclose);
  if (std::fscanf(file.get(), "%zu %zu", &total, &pages) != 2) return 0;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// What belongs to the host, each piece as a text under its name.
inline std::map<std::string, std::string> host_state() {
  std::map<std::string, std::string> state;
  const auto note = [&state](std::string what, const auto& value) {
    std::array<unsigned char, sizeof value> bytes;
    std::memcpy(bytes.data(), &value, sizeof value);
    std::string hex;
    for (const auto byte : bytes) hex += "0123456789abcdef"[byte / 16], hex += "0123456789abcdef"[byte % 16];
    state.emplace(std::move(what), hex);
  };
  for (int number = 1; number <= 64; ++number) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) != 0) continue; // the C library keeps two for itself
    note("handler of signal " + std::to_string(number), now.sa_handler);
    constexpr int restorer = 0x04000000; // the C library's own business
    note("flags of signal " + std::to_string(number), now.sa_flags & ~restorer);
  }
  sigset_t mask{};
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (int number = 1; number <= 64; ++number)
    if (::sigismember(&mask, number) == 1) state.emplace("blocked signal " + std::to_string(number), "yes");
  state.emplace("C++ locale", std::locale().name());
  state.emplace("C locale", ::setlocale(LC_ALL, nullptr));
  note("terminate handler", std::get_terminate());
  note("new handler", std::get_new_handler());
  note("default logger of spdlog", spdlog::default_logger_raw());
  note("level of spdlog", spdlog::get_level());
  spdlog::apply_all([&](const std::shared_ptr<spdlog::logger>& l) { note("logger '" + l->name() + "'", l.get()); });
  const auto umask = ::umask(0);
  ::umask(umask);
  note("umask", umask);
  note("rounding", ::fegetround());
  cpu_set_t processors{};
  ::sched_getaffinity(0, sizeof processors, &processors);
  note("affinity", processors);
  std::array<char, 16> name{};
  ::prctl(PR_GET_NAME, name.data());
  state.emplace("name of the thread", name.data());
  note("timer slack", ::prctl(PR_GET_TIMERSLACK));
  note("dumpable", ::prctl(PR_GET_DUMPABLE));
  for (const auto which : {RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_CORE}) {
    rlimit limit{};
    ::getrlimit(which, &limit);
    note("limit " + std::to_string(static_cast<int>(which)), limit);
  }
  std::array<char, 4096> folder{};
  if (::getcwd(folder.data(), folder.size()) != nullptr) state.emplace("working folder", folder.data());
  for (char** one = environ; *one != nullptr; ++one) state.emplace("environment: " + std::string(*one), "");
  return state;
}

/// Names what differs; "" if nothing does.
inline std::string difference(const std::map<std::string, std::string>& before,
                              const std::map<std::string, std::string>& after) {
  std::string text;
  for (const auto& [what, value] : before)
    if (const auto now = after.find(what); now == after.end() || now->second != value) text += what + " changed\n";
  for (const auto& [what, value] : after)
    if (!before.contains(what)) text += what + " is new\n";
  return text;
}

} // namespace greenroom::test
