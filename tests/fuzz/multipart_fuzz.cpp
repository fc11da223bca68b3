// The parser of forms: the parts do not depend on how the bytes are split, nothing goes beyond a limit, a body that is accepted has the same
// parts when it is cut at its boundaries by a simpler program, and parts that are written anew are read again. An input is the value of a
// Content-Type, a line feed, and a body; where the type names no boundary it is "b".
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/multipart.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http {
namespace {

using namespace fuzz;
using event = multipart_parser::event;

multipart_limits chosen(unsigned n) {
  multipart_limits most;
  if ((n & 1) != 0) most.parts = 2;
  if ((n & 2) != 0) most.part_head = 64;
  if ((n & 4) != 0) most.part_data = 8;
  if ((n & 8) != 0) most.outside = 4;
  return most;
}

std::string shown(const form_part& p) {
  std::string all = p.name + "|" + (p.file_name ? "'" + *p.file_name + "'" : "no file") + "|" + p.content_type + "|";
  return all.append(p.data).append("\n");
}

/// A parser and what it makes of the bytes that it is fed.
class reading {
public:
  reading(std::string_view boundary, const multipart_limits& most) : most_(most), parser_(boundary, most) {}

  void feed(std::string_view bytes) {
    fed_ += bytes.size();
    while (!failed()) {
      const auto before = bytes.size();
      const auto now = parser_.next(bytes);
      require(bytes.size() <= before, "a parser takes no more than there is");
      if (!now) {
        fail(now.error());
        break;
      }
      if (*now == event::need_more) return require(bytes.empty(), "all is taken before more is asked for");
      take(*now);
    }
  }
  void finish() {
    if (failed()) return;
    const auto whole = parser_.finish();
    require(ended_ || !whole, "a body is not whole before its last boundary");
    if (!whole) refusal_ = std::string(whole.error().message());
  }
  bool failed() const { return !refusal_.empty(); }
  const std::vector<form_part>& parts() const { return parts_; }
  const std::vector<std::string>& heads() const { return heads_; }
  /// Of a body that is refused only the parts before the fault: how much there is of the one that has it depends on the reads.
  std::string told() const {
    std::string all;
    for (std::size_t i = 0; i < whole_parts_; ++i) all += shown(parts_[i]);
    if (!failed() && in_part_) all += shown(parts_.back());
    return all + refusal_;
  }

private:
  void take(event now) {
    if (now == event::end) {
      require(!in_part_ && !ended_, "the end comes once, and behind a part");
      ended_ = true;
    } else if (now == event::part_begin) {
      require(!in_part_ && !ended_, "a part begins when the one before it has ended");
      in_part_ = true;
      begin();
    } else {
      require(in_part_, "data and ends belong to a part");
      if (now == event::part_end) {
        in_part_ = false;
        ++whole_parts_;
        require(parser_.name() == parts_.back().name, "a part is known until the next one");
        return;
      }
      require(!parser_.data().empty(), "data is never empty");
      parts_.back().data += parser_.data();
      bytes_ += parser_.data().size();
      require(parts_.back().data.size() <= most_.part_data, "the data of a part is within its limit");
      require(bytes_ <= fed_, "no more comes out than went in");
    }
  }
  void begin() {
    auto& p = parts_.emplace_back();
    p.name = parser_.name();
    if (parser_.file_name()) p.file_name = parser_.file_name();
    p.content_type = parser_.content_type();
    require(parts_.size() <= most_.parts, "there are no more parts than allowed");
    std::string head;
    for (const auto& f : parser_.headers()) {
      require_sound_field(f.name, f.value);
      head.append(f.name).append(":").append(f.value).append("\n");
    }
    require(head.size() <= most_.part_head, "a header section is within its limit");
    heads_.push_back(std::move(head));
  }
  void fail(const error& why) {
    refusal_ = why.message();
    require(why.code() == errc::parse || why.code() == errc::limit || why.code() == errc::unsupported,
            "the code of a refusal is known");
    std::string_view more = "\r\n--b--";
    const auto again = parser_.next(more);
    require(!again && again.error().message() == refusal_ && !parser_.finish(), "a refusal is for good");
  }

  const multipart_limits& most_;
  multipart_parser parser_;
  std::vector<form_part> parts_;
  std::vector<std::string> heads_;
  std::string refusal_;
  std::size_t whole_parts_ = 0;
  std::size_t fed_ = 0;
  std::size_t bytes_ = 0;
  bool in_part_ = false;
  bool ended_ = false;
};

/// Cuts a body that was accepted at its boundaries, which a program may do that does not look at anything else.
void require_same_parts(std::string_view body, std::string_view boundary, const reading& read) {
  const auto delimiter = "\r\n--" + std::string(boundary);
  const auto all = "\r\n" + std::string(body) + "\r\n";
  std::size_t part = 0;
  for (auto at = all.find(delimiter);; ++part) {
    require(at != all.npos, "there is a last boundary");
    const auto begin = at + delimiter.size();
    if (all.compare(begin, 2, "--") == 0) break;
    at = all.find(delimiter, begin);
    // The end of line before the delimiter may be the one that ends the header section.
    const auto piece = all.substr(begin, at == all.npos ? at : at + 2 - begin);
    const auto line_end = piece.find("\r\n");
    require(line_end != piece.npos && piece.find_first_not_of(" \t") == line_end, "a boundary fills its line");
    const auto head_end = piece.find("\r\n\r\n", line_end);
    require(part < read.parts().size() && head_end != piece.npos, "each piece has a header section");
    std::string head;
    for (auto line = line_end + 2; line < head_end + 2; line = piece.find("\r\n", line) + 2) {
      const auto text = piece.substr(line, piece.find("\r\n", line) - line);
      const auto value = text.substr(text.find(':') + 1);
      const auto first = value.find_first_not_of(" \t");
      head.append(text, 0, text.find(':')).append(":");
      if (first != value.npos) head.append(value, first, value.find_last_not_of(" \t") + 1 - first);
      head += '\n';
    }
    require_same(read.heads()[part], head, "others see the same header fields");
    const auto data_end = piece.size() - 2;
    const auto data = head_end + 4 < data_end ? piece.substr(head_end + 4, data_end - head_end - 4) : "";
    require_same(read.parts()[part].data, data, "others see the same data");
  }
  require(part == read.parts().size(), "others see as many parts");
}

std::string quoted(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + "\"";
}

std::string written(const std::vector<form_part>& parts, std::string_view boundary) {
  std::string all;
  for (const auto& p : parts) {
    all.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=").append(quoted(p.name));
    if (p.file_name) all.append("; filename=").append(quoted(*p.file_name));
    if (!p.content_type.empty()) all.append("\r\ncontent-type:").append(p.content_type);
    all.append("\r\n\r\n").append(p.data).append("\r\n");
  }
  return all.append("--").append(boundary).append("--");
}

void require_read_again(const std::vector<form_part>& parts, std::string_view boundary) {
  const auto type = "multipart/form-data; boundary=" + quoted(boundary);
  const auto again = parse_multipart(type, written(parts, boundary));
  require(again.has_value(), "parts that are written anew are taken");
  std::string before;
  std::string after;
  for (const auto& p : parts) before += shown(p);
  for (const auto& p : *again) after += shown(p);
  require_same(after, before, "and read again");
}

/// Any text can be the data of a part, if its boundary does not stand there.
void require_carried(std::string_view text) {
  form_part p{.name = "a", .file_name = std::nullopt, .content_type = "", .data = std::string(text)};
  for (const char c : text.substr(0, 20)) p.name += is_control(c) ? '.' : c;
  constexpr std::string_view boundary = "9'()+_,-./:=? 9";
  if (text.find("--9'()") == text.npos) require_read_again({p}, boundary);
}

std::string boundary_from(std::string_view content_type) {
  const auto found = boundary_of(content_type);
  if (!found) {
    require(found.error().code() == errc::parse || found.error().code() == errc::unsupported, "the code is known");
    require_same(parse_multipart(content_type, "--b--").error().message(), found.error().message(), "for all the same");
    return "b";
  }
  require(!found->empty() && found->size() <= 70 && found->back() != ' ', "a boundary has 1 to 70 characters");
  require(found->find_first_not_of("'()+_,-./:=? 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
              found->npos,
          "a boundary consists of the characters that are allowed");
  require_same(boundary_of("Multipart/Form-Data;boundary=" + quoted(*found)).value(), *found, "it can be written anew");
  return *found;
}

} // namespace
} // namespace greenroom::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http;
  input from(data, std::min<std::size_t>(size, 600)); // enough for the smaller limits
  const auto most = chosen(from.choice());
  const cuts at(from);
  const auto text = from.text();
  const auto type = text.substr(0, text.find('\n'));
  const auto body = text.substr(std::min(text.size(), type.size() + 1));
  const auto boundary = boundary_from(type);

  reading whole(boundary, most);
  whole.feed(body);
  reading split(boundary, most);
  for (const auto piece : at.of(body)) split.feed(piece);
  whole.finish();
  split.finish();
  require_same(split.told(), whole.told(), "the parts do not depend on how the bytes are split");

  require_carried(body);
  const auto at_once = parse_multipart("multipart/form-data; boundary=" + quoted(boundary), body, most);
  require(at_once.has_value() == !whole.failed(), "a body at once is taken as one in pieces");
  if (whole.failed()) return 0;
  std::string told;
  for (const auto& p : *at_once) told += shown(p);
  require_same(told, whole.told(), "and has the same parts");
  require_same_parts(body, boundary, whole);
  require_read_again(whole.parts(), boundary);
  return 0;
}
