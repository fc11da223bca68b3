#include <greenroom/tools/greenroom/terminal.hpp>

#include <cstdio>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <greenroom/tools/greenroom/graph_table.hpp>

namespace {

void write_all(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

} // namespace

bool terminal::is_there() noexcept { return isatty(STDOUT_FILENO) == 1; }

terminal::terminal() : has_keys_(tcgetattr(STDIN_FILENO, &before_) == 0) {
  if (has_keys_) {
    auto raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO); // signals stay: Ctrl-C is one
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  write_all("\x1b[?1049h\x1b[?25l"); // the second screen, no cursor
}

terminal::~terminal() {
  write_all("\x1b[?25h\x1b[?1049l");
  if (has_keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

terminal::size terminal::now() const noexcept {
  winsize w{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_row == 0 || w.ws_col == 0) return {24, 80};
  return {w.ws_row, w.ws_col};
}

void terminal::show(const std::vector<std::string>& lines) {
  const auto fits = now();
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size() && i < fits.lines; ++i) {
    if (i != 0) text += "\r\n";
    const auto line = cut(lines[i], fits.columns);
    text += i == 0 ? "\x1b[7m" + line + "\x1b[0m\x1b[K" : line + "\x1b[K"; // to the end of the line: what stood there
  }
  write_all(text + "\x1b[J");
}

std::optional<char> terminal::key(std::chrono::milliseconds limit) {
  pollfd keys{has_keys_ ? STDIN_FILENO : -1, POLLIN, 0};
  if (::poll(&keys, 1, static_cast<int>(limit.count())) <= 0 || (keys.revents & (POLLIN | POLLHUP)) == 0)
    return std::nullopt;
  char c = 0;
  if (::read(STDIN_FILENO, &c, 1) == 1) return c;
  has_keys_ = (keys.revents & POLLHUP) == 0; // who had the keys has left
  return std::nullopt;
}
