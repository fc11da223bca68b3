// The parts of the acceptance program; each prints what it measured as one JSON line and returns the exit code.
#pragma once

#include <fstream>

namespace acceptance {

inline long resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  long all = 0;
  long resident = 0;
  statm >> all >> resident;
  return resident * 4096;
}

int asks(long n);
int http_storm(long n);
int http_overload(long seconds);
int quotes(long rounds);
int deadlocks();
int fairness(long seconds);
int soak(long n);

} // namespace acceptance
