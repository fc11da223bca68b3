// What crosses between the nodes of this program, and what they print: one JSON object a line.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/actors/node.hpp>

namespace node_faults {

using namespace std::chrono_literals;

struct transfer {
  std::string id, from, to;
  std::int64_t cents = 0;
  using reply = std::int64_t; // what is left
};
struct read_all {
  std::string id;
  using reply = std::map<std::string, std::int64_t>;
};
struct put {
  std::string id; // of the item, too
  using reply = std::uint64_t;
};
struct take {
  std::string id;
  using reply = std::string; // the item; "" if there is none
};
/// One of a stream whose numbers only grow.
struct numbered {
  std::string sender;
  std::uint64_t number = 0;
  std::string load;
};

template <class Inspector>
bool inspect(Inspector& f, transfer& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("from", x.from), f.field("to", x.to),
                            f.field("cents", x.cents));
}
template <class Inspector>
bool inspect(Inspector& f, read_all& x) {
  return f.object(x).fields(f.field("id", x.id));
}
template <class Inspector>
bool inspect(Inspector& f, put& x) {
  return f.object(x).fields(f.field("id", x.id));
}
template <class Inspector>
bool inspect(Inspector& f, take& x) {
  return f.object(x).fields(f.field("id", x.id));
}
template <class Inspector>
bool inspect(Inspector& f, numbered& x) {
  return f.object(x).fields(f.field("sender", x.sender), f.field("number", x.number), f.field("load", x.load));
}

/// As time.monotonic() of Python. Units: seconds.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// As a JSON string; what is no printable ASCII becomes '?'.
inline std::string json_text(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    all += c < ' ' || c > '~' ? '?' : c;
  }
  return all + '"';
}

/// Writes lines that are whole even if the process is killed. Thread safety: any thread.
class line_file {
public:
  explicit line_file(std::FILE* to) noexcept : to_(to) {}
  /// `rest` is the inside of a JSON object.
  void say(std::string_view rest) {
    const auto line = fmt::format("{{\"t\":{:.6f},{}}}\n", now(), rest);
    const std::lock_guard guard(lock_);
    std::fwrite(line.data(), 1, line.size(), to_);
    std::fflush(to_);
  }

private:
  std::mutex lock_;
  std::FILE* const to_;
};

/// What the node's events are printed to.
inline line_file& events() {
  static line_file out(stdout);
  return out;
}

struct arguments {
  std::string role, name, host = "127.0.0.1", file;
  std::uint16_t port = 0;
  std::string certificates; // a folder with ca.pem, <name>.pem and <name>.key; empty: none
};

inline greenroom::node_setup options_of(const arguments& args) {
  greenroom::node_setup how{.name = args.name};
  if (!args.certificates.empty()) {
    const auto in = args.certificates + "/";
    how.tls = greenroom::node_tls{in + "ca.pem", in + args.name + ".pem", in + args.name + ".key"};
  }
  return how;
}

int bank(const arguments& args);
int client(const arguments& args);
int last_look(const arguments& args);

} // namespace node_faults
