#include <greenroom/http/internal/content_coding.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace greenroom::http::internal {
namespace {

/// The limits are looked at after so many bytes of output at the latest.
constexpr std::size_t step = 65'536;

zlib_format format_of(coding c) noexcept { return c == coding::gzip ? zlib_format::gzip : zlib_format::zlib; }

void require_available(coding c) {
  if (available(c)) return;
  throw usage_error(fmt::format("cannot use the content coding {}: this build has no zlib: configure it with "
                                "GREENROOM_ZLIB=ON, or ask available() first",
                                to_string(c)));
}

} // namespace

bool available(coding c) noexcept { return c == coding::identity || has_zlib(); }

// -- encoding -------------------------------------------------------------------------------------------------

content_encoder::content_encoder(coding c, int level) {
  require_available(c);
  if (level < 1 || level > 9)
    throw usage_error(fmt::format("cannot encode content: the level must be from 1 to 9, not {}", level));
  if (c != coding::identity) deflater_ = std::make_unique<deflater>(format_of(c), level);
}

void content_encoder::encode(std::string_view in, std::string& out) { run(in, deflater::then::go_on, out); }

void content_encoder::flush(std::string& out) { run({}, deflater::then::flush, out); }

void content_encoder::finish(std::string& out) {
  run({}, deflater::then::finish, out);
  finished_ = true;
}

void content_encoder::run(std::string_view in, deflater::then how, std::string& out) {
  if (finished_)
    throw usage_error("cannot encode content: the encoder was finished: make another one for another body");
  if (deflater_) {
    deflater_->run(in, how, out);
  } else {
    out += in;
  }
}

std::string encode_all(coding c, std::string_view body) {
  content_encoder encoder(c);
  std::string out;
  encoder.encode(body, out);
  encoder.finish(out);
  return out;
}

// -- decoding -------------------------------------------------------------------------------------------------

content_decoder::content_decoder(coding c, const decode_limits& most) : coding_(c), most_(most) {
  require_available(c);
  if (c != coding::identity) inflater_ = std::make_unique<inflater>(format_of(c));
}

result<content_decoder::progress> content_decoder::decode(std::string_view& in, std::string& out, std::size_t room) {
  if (failure_) return *failure_;
  for (;;) {
    if (ended_ && !in.empty()) {
      if (coding_ != coding::gzip) return fail(errc::parse, "something follows the end of the coded data");
      inflater_->restart();
      ended_ = false;
    }
    if (ended_) return progress::more;
    if (room == 0) return progress::full;
    const auto in_before = in.size();
    const auto out_before = out.size();
    const auto outcome = run(in, out, std::min(room, step));
    in_ += in_before - in.size();
    out_ += out.size() - out_before;
    room -= out.size() - out_before;
    if (auto refused = check(outcome, out)) return *refused;
    if (outcome == inflater::outcome::more) return progress::more;
    ended_ = outcome == inflater::outcome::end;
  }
}

inflater::outcome content_decoder::run(std::string_view& in, std::string& out, std::size_t room) {
  if (inflater_) return inflater_->run(in, out, room);
  const auto taken = in.substr(0, room);
  out += taken;
  in.remove_prefix(taken.size());
  return taken.size() == room ? inflater::outcome::full : inflater::outcome::more;
}

std::optional<error> content_decoder::check(inflater::outcome outcome, std::string& out) {
  if (out_ > most_.output) {
    out.resize(out.size() - static_cast<std::size_t>(out_ - most_.output));
    out_ = most_.output;
    return fail(errc::limit, fmt::format("it is longer than the limit of {} bytes", most_.output));
  }
  if (inflater_ && out_ > most_.ratio_from && out_ / std::max<std::uint64_t>(most_.ratio, 1) > in_)
    return fail(errc::limit, fmt::format("{} bytes became {}, more than {} for each", in_, out_, most_.ratio));
  if (outcome == inflater::outcome::damaged)
    return fail(errc::parse, fmt::format("the bytes up to the {}th are not {}", in_, to_string(coding_)));
  return std::nullopt;
}

error content_decoder::fail(errc code, std::string why) {
  return failure_.emplace(code, "cannot decode the content: " + std::move(why));
}

result<void> content_decoder::finish() const {
  if (failure_) return *failure_;
  if (ended_ || !inflater_) return {};
  return error(errc::parse,
               fmt::format("cannot decode the content: it stops before the end of its {} data, after {} bytes",
                           to_string(coding_), in_));
}

result<std::string> decode_all(coding c, std::string_view body, const decode_limits& most) {
  content_decoder decoder(c, most);
  std::string out;
  if (auto decoded = decoder.decode(body, out); !decoded) return decoded.error();
  if (auto finished = decoder.finish(); !finished) return finished.error();
  return out;
}

} // namespace greenroom::http::internal
