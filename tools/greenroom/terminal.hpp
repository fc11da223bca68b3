// The screen of a program that redraws itself, and its keys: a second screen that goes away with the program, and no echo.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <termios.h>

class terminal {
public:
  /// Requires: is_there().
  terminal();
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  /// Gives the terminal back as it was.
  ~terminal();

  /// Returns whether standard output is a terminal.
  static bool is_there() noexcept;

  struct size {
    std::size_t lines;
    std::size_t columns;
  };
  size now() const noexcept;

  /// Draws lines that fit, the first of them in reverse.
  void show(const std::vector<std::string>& lines);
  /// Waits for a key, for so long at most. Waits: blocks the thread; shorter when a signal comes.
  std::optional<char> key(std::chrono::milliseconds limit);

private:
  termios before_{};
  bool has_keys_ = false; // standard input is a terminal, too
};
