#include <greenroom/tools/greenroom/load_answer.hpp>

#include <algorithm>
#include <charconv>

namespace load {
namespace {

constexpr std::size_t most_head = 65'536;
constexpr std::size_t most_line = 4'096;
constexpr std::uint64_t most_chunk = std::uint64_t{1} << 60;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Whether a word is one of a list with commas.
bool lists(std::string_view all, std::string_view word) noexcept {
  while (!all.empty()) {
    const auto end = std::min(all.find(','), all.size());
    if (same_word(trimmed(all.substr(0, end)), word)) return true;
    all.remove_prefix(std::min(end + 1, all.size()));
  }
  return false;
}

template <class Number>
bool read_number(std::string_view text, Number& n, int base = 10) noexcept {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  return problem == std::errc() && end == text.data() + text.size();
}

} // namespace

void answer_reader::begin(bool to_head) noexcept {
  part_ = part::head;
  begun_ = bad_ = chunked_ = has_length_ = false;
  to_head_ = to_head;
  keeps_open_ = true;
  status_ = 0;
  left_ = 0;
  kept_.clear();
}

answer_reader::state answer_reader::take(std::string_view bytes) {
  begun_ |= !bytes.empty();
  while (!bytes.empty() && !bad_) {
    switch (part_) {
    case part::head: take_head(bytes); break;
    case part::counted: skip_counted(bytes); break;
    case part::chunk_size:
      if (take_line(bytes)) read_chunk_size();
      break;
    case part::chunk_end:
      skip_counted(bytes);
      if (left_ == 0) part_ = part::chunk_size;
      break;
    case part::trailers:
      if (take_line(bytes)) {
        if (kept_.empty()) part_ = part::end;
        kept_.clear();
      }
      break;
    case part::until_close: bytes = {}; break;
    case part::end: fail(); break;
    }
  }
  if (bad_) return state::malformed;
  return part_ == part::end ? state::complete : state::reading;
}

answer_reader::state answer_reader::end_of_input() noexcept {
  if (part_ == part::until_close) part_ = part::end;
  keeps_open_ = false;
  return part_ == part::end ? state::complete : state::malformed;
}

void answer_reader::take_head(std::string_view& bytes) {
  constexpr std::string_view mark = "\r\n\r\n";
  if (kept_.empty()) {
    if (const auto end = bytes.find(mark); end != bytes.npos) { // as mostly: it came whole
      if (!read_head(bytes.substr(0, end + 2))) return fail();
      bytes.remove_prefix(end + mark.size());
      return choose_body();
    }
  }
  const auto from = kept_.size() - std::min(kept_.size(), mark.size() - 1);
  const auto before = kept_.size();
  kept_ += bytes;
  const auto end = kept_.find(mark, from);
  if (end == kept_.npos) {
    bytes = {};
    if (kept_.size() > most_head) fail();
    return;
  }
  bytes.remove_prefix(end + mark.size() - before);
  kept_.resize(end + 2);
  const bool good = read_head(kept_);
  kept_.clear();
  if (!good) return fail();
  choose_body();
}

/// Reads lines that each end with CR LF.
bool answer_reader::read_head(std::string_view head) {
  // HTTP/1.1 200 OK
  if (head.size() < 14 || !head.starts_with("HTTP/1.") || head[8] != ' ') return false;
  if (!read_number(head.substr(9, 3), status_) || status_ < 100) return false;
  keeps_open_ = head[7] != '0';
  has_length_ = chunked_ = false;
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    if (!read_field(head.substr(0, end))) return false;
    head.remove_prefix(end + 2);
  }
  return true;
}

bool answer_reader::read_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos) return false;
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (same_word(name, "content-length")) {
    has_length_ = true;
    return read_number(value, left_);
  }
  if (same_word(name, "transfer-encoding")) chunked_ = lists(value, "chunked");
  if (same_word(name, "connection")) {
    if (lists(value, "close")) keeps_open_ = false;
    if (lists(value, "keep-alive")) keeps_open_ = true;
  }
  return true;
}

void answer_reader::choose_body() {
  if (status_ < 200 && status_ != 101) return; // an interim one: the answer is still to come
  if (to_head_ || status_ == 101 || status_ == 204 || status_ == 304) {
    part_ = part::end;
  } else if (chunked_) {
    part_ = part::chunk_size;
  } else if (has_length_) {
    part_ = left_ == 0 ? part::end : part::counted;
  } else {
    part_ = part::until_close;
    keeps_open_ = false;
  }
  if (status_ == 101) keeps_open_ = false; // what follows is no HTTP
}

void answer_reader::skip_counted(std::string_view& bytes) noexcept {
  const auto n = std::min<std::uint64_t>(left_, bytes.size());
  left_ -= n;
  bytes.remove_prefix(n);
  if (left_ == 0 && part_ == part::counted) part_ = part::end;
}

/// Returns whether a line is complete; it is then kept_, without its end.
bool answer_reader::take_line(std::string_view& bytes) {
  const auto end = std::min(bytes.find('\n'), bytes.size());
  const bool whole = end != bytes.size();
  kept_ += bytes.substr(0, end);
  bytes.remove_prefix(whole ? end + 1 : end);
  if (kept_.size() > most_line) fail();
  if (!whole || bad_) return false;
  if (kept_.ends_with('\r')) kept_.pop_back();
  return true;
}

void answer_reader::read_chunk_size() {
  const auto size = trimmed(std::string_view(kept_).substr(0, kept_.find(';')));
  if (!read_number(size, left_, 16) || left_ > most_chunk) return fail();
  kept_.clear();
  if (left_ == 0) {
    part_ = part::trailers;
  } else {
    left_ += 2; // its line end
    part_ = part::chunk_end;
  }
}

} // namespace load
