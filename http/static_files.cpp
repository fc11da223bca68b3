#include <greenroom/http/static_files.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/http/body.hpp>
#include <greenroom/http/internal/conditions.hpp>
#include <greenroom/http/internal/content_coding.hpp>
#include <greenroom/http/internal/dates.hpp>
#include <greenroom/http/internal/file_lookup.hpp>
#include <greenroom/http/internal/mime_types.hpp>
#include <greenroom/http/internal/ranges.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::http {
namespace {

using internal::byte_range, internal::file_found, internal::served_file;
using std::chrono::sys_seconds;

// -- what is told of a file -----------------------------------------------------------------------------

struct description {
  std::string etag;
  sys_seconds modified;
  sys_seconds now;
  std::string_view type;
};

description describe(const file_found& found) {
  const auto& stamp = found.file->modified();
  // The clock of a file system ticks every 10 ms or quicker, some every 2 s: what is older cannot change any more without being seen.
  // In whole seconds: a file may have any time, and not all fit into nanoseconds.
  const sys_seconds modified{std::chrono::seconds(stamp.tv_sec)};
  const bool settled = modified < found.now - std::chrono::seconds(2);
  description d;
  d.etag = fmt::format("{}\"{:x}-{:x}.{:x}{}\"", settled ? "" : "W/", found.file->size(), stamp.tv_sec, stamp.tv_nsec,
                       found.compressed ? "-gz" : "");
  d.now = found.now;
  d.modified = std::min(modified, d.now); // RFC 9110 section 8.8.2.1: never later than now
  d.type = internal::content_type_of_file(found.name);
  return d;
}

/// Adds what a 200, a 206 and a 304 have alike.
response& add_validators(response& to, const description& d, const file_found& found, const static_file_options& how) {
  to.header("ETag", d.etag).header("Last-Modified", internal::http_date(d.modified));
  if (!how.cache_control.empty()) to.header("Cache-Control", how.cache_control);
  if (found.has_sibling) to.header("Vary", "Accept-Encoding");
  return to;
}

response head_of(int status, std::string_view type, const description& d, const file_found& found,
                 const static_file_options& how) {
  response head(status, type, {});
  add_validators(head, d, found, how);
  head.header("Accept-Ranges", "bytes").header("X-Content-Type-Options", "nosniff");
  if (found.compressed) head.header("Content-Encoding", "gzip");
  return head;
}

// -- the body ---------------------------------------------------------------------------------------------

/// A piece of a file, and what goes before it.
struct piece {
  std::string before;
  std::uint64_t from;
  std::uint64_t size;
};

struct plan {
  std::vector<piece> pieces;
  std::string behind;
  std::uint64_t length() const noexcept {
    auto sum = static_cast<std::uint64_t>(behind.size());
    for (const auto& p : pieces) sum += p.before.size() + p.size;
    return sum;
  }
};

result<std::string> read_part(const served_file* file, std::uint64_t from, std::size_t size) {
  return file->read(from, size);
}

task<> send_file(body_writer out, served_file file, plan of, std::size_t part) {
  for (auto& p : of.pieces) {
    if (!p.before.empty()) {
      auto sent = co_await out.write(std::move(p.before));
      if (!sent) co_return;
    }
    for (std::uint64_t done = 0; done < p.size;) {
      auto room = co_await out.write(std::string()); // read only when it can be given on: one part is held, not two
      if (!room) co_return;
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(part, p.size - done));
      auto bytes = co_await blocking(read_part, &file, p.from + done, size);
      if (!bytes) { // shorter than announced: the server cuts it off
        this_actor::system().log().warn("{}", bytes.error().message());
        co_return;
      }
      auto sent = co_await out.write(*std::move(bytes));
      if (!sent) co_return;
      done += size;
    }
  }
  if (of.behind.empty()) co_return;
  auto sent = co_await out.write(std::move(of.behind));
  (void)sent; // it was the last
}

/// Parts of one file as multipart/byteranges. Source: RFC 9110 section 14.6.
plan plan_parts(const std::vector<byte_range>& parts, std::uint64_t size, std::string_view type,
                const std::string& boundary) {
  plan p;
  for (const auto& range : parts) {
    auto before = fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n", p.pieces.empty() ? "" : "\r\n",
                              boundary, type, internal::content_range(range, size));
    p.pieces.push_back({std::move(before), range.first, range.length()});
  }
  p.behind = fmt::format("\r\n--{}--\r\n", boundary);
  return p;
}

response send(response head, file_found&& found, plan of, std::size_t part) {
  const auto length = of.length();
  return streamed(std::move(head), send_file, *std::move(found.file), std::move(of), part).content_length(length);
}

response answer_with_ranges(const std::vector<byte_range>& parts, const description& d, file_found&& found,
                            const static_file_options& how) {
  const auto size = found.file->size();
  if (parts.size() == 1) {
    auto head = head_of(206, d.type, d, found, how);
    head.header("Content-Range", internal::content_range(parts[0], size));
    plan one;
    one.pieces.push_back({"", parts[0].first, parts[0].length()});
    return send(std::move(head), std::move(found), std::move(one), how.part);
  }
  // Nobody can have put it into the file: it is drawn now.
  const auto boundary = fmt::format("{:016x}{:016x}", random_seed(), random_seed());
  auto head = head_of(206, "multipart/byteranges; boundary=" + boundary, d, found, how);
  auto of = plan_parts(parts, size, d.type, boundary);
  return send(std::move(head), std::move(found), std::move(of), how.part);
}

/// The file is there: what the request makes of it.
response answer_file(const request& r, file_found&& found, const static_file_options& how) {
  const auto d = describe(found);
  const internal::validators current{.etag = d.etag, .modified = d.modified};
  switch (internal::evaluate_conditions(r.method(), r.headers(), current, d.now)) {
  case internal::verdict::not_modified: {
    response same(304);
    return std::move(add_validators(same, d, found, how));
  }
  case internal::verdict::precondition_failed: return text("the file is another one than the request expects\n", 412);
  default: break;
  }
  const auto size = found.file->size();
  const auto ranges = internal::choose_ranges(r.method(), r.headers(), current, size, d.now);
  if (ranges.is == internal::range_choice::kind::unsatisfiable)
    return text("the file has no such range\n", 416).header("Content-Range", internal::unsatisfied_range(size));
  if (ranges.is == internal::range_choice::kind::parts)
    return answer_with_ranges(ranges.parts, d, std::move(found), how);
  auto head = head_of(200, d.type, d, found, how);
  if (found.bytes) return std::move(head.body(*std::move(found.bytes)));
  plan whole;
  whole.pieces.push_back({"", 0, size});
  return send(std::move(head), std::move(found), std::move(whole), how.part);
}

// -- the way there ----------------------------------------------------------------------------------------

bool has_encoded_slash(std::string_view path) noexcept {
  return path.find("%2f") != path.npos || path.find("%2F") != path.npos;
}

/// Says whether all of a small file is going to be sent, as far as can be told before it is found.
bool wants_all(const request& r) noexcept {
  static constexpr std::string_view others[] = {"range",    "if-match",          "if-none-match",
                                                "if-range", "if-modified-since", "if-unmodified-since"};
  return r.method() == method::get && std::none_of(std::begin(others), std::end(others),
                                                   [&r](std::string_view name) { return r.header(name).has_value(); });
}

response not_found() { return text("there is no such file\n", 404); }

response redirect_to_directory(const request& r) {
  auto to = std::string(r.path()) + '/';
  if (!r.query().empty()) to.append("?").append(r.query());
  return text("the directory is at " + to + "\n", 301).header("Location", to);
}

static_file_options checked(static_file_options how) {
  if (how.part < 4'096 || how.part > 1'048'576)
    throw usage_error(fmt::format("http::static_files: part must be from 4096 to 1048576 bytes, not {}", how.part));
  if (!how.index.empty() && !internal::is_plain_path(how.index, true))
    throw usage_error(fmt::format("http::static_files: index must be the name of a file, not '{}'", how.index));
  (void)response().header("Cache-Control", how.cache_control); // throws now rather than with each request
  return how;
}

file_found find(const internal::file_source* in, const internal::file_wish* wish) {
  return internal::find_file(*in, *wish);
}

task<response> serve(std::shared_ptr<const internal::file_source> from, request r) {
  using outcome = file_found::outcome;
  const auto& how = from->how;
  internal::file_wish wish;
  wish.path = r.parameter(how.parameter);
  // An encoded slash is one here: a rule for the path as it was sent, as of a proxy, would not see it.
  if (!internal::is_plain_path(wish.path, how.hidden) || has_encoded_slash(r.path())) co_return not_found();
  const bool bare = wish.path.empty() && !r.path().ends_with('/');
  wish.gzip = internal::choose_coding(r.headers()) == internal::coding::gzip;
  wish.bytes = !bare && wants_all(r);
  auto found = co_await blocking(find, from.get(), &wish);
  if (bare && found.is == outcome::file) co_return redirect_to_directory(r); // there is an index
  switch (found.is) {
  case outcome::file: co_return answer_file(r, std::move(found), how);
  case outcome::directory: co_return redirect_to_directory(r);
  case outcome::denied: co_return text("this file is not for reading\n", 403);
  case outcome::busy: co_return text("the file cannot be had now; try again\n", 503).header("Retry-After", "1");
  case outcome::failed:
    this_actor::system().log().error("{}", found.why);
    co_return text("the server failed to read this file\n", 500);
  default: co_return not_found();
  }
}

} // namespace

static_files::static_files(std::string directory, static_file_options how) {
  auto source = std::make_shared<internal::file_source>(
      internal::file_source{std::move(directory), checked(std::move(how)), internal::best_resolver()});
  if (!internal::open_directory(source->directory)) {
    const auto why = std::error_code(errno, std::system_category()).message();
    throw usage_error(fmt::format("http::static_files: cannot open the directory '{}': {}", source->directory, why));
  }
  from_ = std::move(source);
}

task<response> static_files::operator()(request r) const { return serve(from_, std::move(r)); }

} // namespace greenroom::http
