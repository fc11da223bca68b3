// What two nodes say to each other once CAF carries it: parts, several of them in a frame.
// Thread safety: as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <greenroom/actors/wire.hpp>

namespace greenroom {

template <class Inspector>
bool inspect(Inspector& f, wire_type& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("version", x.version), f.field("layout", x.layout));
}

namespace internal {

/// The first part of each side.
struct introduction {
  std::string name;
  std::uint64_t life = 0;       // another number whenever a node starts
  std::uint32_t line = 0;       // which of the connections that this node makes and, when one is lost, makes again
  std::int64_t detection = 0;   // the silence that counts as down for it, in nanoseconds; 0: it does not say
  std::uint64_t most_bytes = 0; // that it takes in a frame; 0: it does not say
};
/// Says nothing but that it lives.
struct sign_of_life {};
/// The side that has the address asks for a stream to what is published under the name; the number is its choice.
struct open_stream {
  std::uint32_t stream = 0;
  std::string name;
  wire_type item;
  std::optional<wire_type> reply; // of requests
};
struct stream_opened {
  std::uint32_t stream = 0;
  std::uint32_t window = 0; // as many items may be under way
};
struct stream_refused {
  std::uint32_t stream = 0;
  std::uint8_t code = 0; // an errc
  std::string why;
};
struct item_part {
  std::uint32_t stream = 0;
  std::uint64_t number = 0;    // 1, 2 and so on, in the life of a stream
  std::int64_t time_left = -1; // of a request, in nanoseconds; -1: no limit
  std::string trace;           // a traceparent, or nothing
  std::string bytes;
};
/// The receiver has taken so many more.
struct credit_part {
  std::uint32_t stream = 0;
  std::uint32_t more = 0;
};
struct answer_part {
  std::uint32_t stream = 0;
  std::uint64_t number = 0;
  std::int16_t code = -1; // an errc; -1: it went well
  std::string bytes;      // the value, or the error's text
};
/// Nobody waits for the answer any more.
struct give_up_part {
  std::uint32_t stream = 0;
  std::uint64_t number = 0;
};
/// Whoever says it, the stream is over.
struct end_of_stream {
  std::uint32_t stream = 0;
  std::string why;
};

template <class Inspector>
bool inspect(Inspector& f, introduction& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("life", x.life), f.field("line", x.line),
                            f.field("detection", x.detection), f.field("most_bytes", x.most_bytes));
}
template <class Inspector>
bool inspect(Inspector& f, sign_of_life& x) {
  return f.object(x).fields();
}
template <class Inspector>
bool inspect(Inspector& f, open_stream& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("name", x.name), f.field("item", x.item),
                            f.field("reply", x.reply));
}
template <class Inspector>
bool inspect(Inspector& f, stream_opened& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("window", x.window));
}
template <class Inspector>
bool inspect(Inspector& f, stream_refused& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("code", x.code), f.field("why", x.why));
}
template <class Inspector>
bool inspect(Inspector& f, item_part& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("number", x.number), f.field("time_left", x.time_left),
                            f.field("trace", x.trace), f.field("bytes", x.bytes));
}
template <class Inspector>
bool inspect(Inspector& f, credit_part& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("more", x.more));
}
template <class Inspector>
bool inspect(Inspector& f, answer_part& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("number", x.number), f.field("code", x.code),
                            f.field("bytes", x.bytes));
}
template <class Inspector>
bool inspect(Inspector& f, give_up_part& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("number", x.number));
}
template <class Inspector>
bool inspect(Inspector& f, end_of_stream& x) {
  return f.object(x).fields(f.field("stream", x.stream), f.field("why", x.why));
}

using node_part = std::variant<introduction, sign_of_life, open_stream, stream_opened, stream_refused, item_part,
                               credit_part, answer_part, give_up_part, end_of_stream>;
using node_frame = std::vector<node_part>;

} // namespace internal
} // namespace greenroom
