// Uses the installed package as a program outside of the tree does.
#include <cstdio>

#include <greenroom/runtime/error.hpp>

int main() {
  const greenroom::error late{greenroom::errc::timed_out};
  std::printf("%s\n", greenroom::sentence(late.code()));
  return late.is(greenroom::errc::timed_out) ? 0 : 1;
}
