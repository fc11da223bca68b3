#include <greenroom/http/rate_limit.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <greenroom/http/internal/token_buckets.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::http {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_burst = 1'000'000;
constexpr std::size_t most_of_key = 256;
constexpr std::size_t most_keys = 16'777'216;

constexpr duration most_refill = 24h * 365;

duration interval_of(const rate_limit_options& how) noexcept {
  return how.period / static_cast<duration::rep>(how.requests);
}

std::uint64_t whole_seconds_up(duration d) noexcept {
  const auto s = std::chrono::ceil<std::chrono::seconds>(d).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(1, s));
}

std::string group_of_six(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return host;
  std::array<char, INET6_ADDRSTRLEN> text{};
  static constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped.begin(), mapped.end(), bytes.begin()))
    return inet_ntop(AF_INET, bytes.data() + mapped.size(), text.data(), text.size());
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return inet_ntop(AF_INET6, bytes.data(), text.data(), text.size()) + std::string("/64");
}

void check(const rate_limit_options& how) {
  if (how.requests == 0 || how.period <= 0ns || how.period > 24h ||
      how.requests > static_cast<std::uint64_t>(how.period.count())) {
    throw usage_error(
        fmt::format("http::rate_limit: requests must be at least 1, period up to a day and at least 1 ns for "
                    "each of them, not {} in {} ns",
                    how.requests, how.period.count()));
  }
  if (how.burst > most_burst) {
    throw usage_error(
        fmt::format("http::rate_limit: burst must be from 1 to {}, or 0 for all requests of a period, not {}",
                    most_burst, how.burst));
  }
  if (how.burst != 0 && how.burst > static_cast<std::uint64_t>(most_refill / interval_of(how))) {
    throw usage_error(fmt::format("http::rate_limit: a burst of {} with {} requests in {} ns would take longer than a "
                                  "year to come back; lower it",
                                  how.burst, how.requests, how.period.count()));
  }
  if (how.keys < 16 || how.keys > most_keys)
    throw usage_error(fmt::format("http::rate_limit: keys must be from 16 to {}, not {}", most_keys, how.keys));
}

rate_limit_options checked(rate_limit_options how) {
  check(how);
  if (how.burst == 0) how.burst = std::min(how.requests, most_burst);
  return how;
}

class limiter final : public detail::any_middleware {
public:
  explicit limiter(rate_limit_options how)
      : how_(checked(std::move(how))),
        policy_(fmt::format("\"default\";q={};w={}", how_.requests, whole_seconds_up(how_.period))),
        buckets_(interval_of(how_), how_.burst, how_.keys) {}
  task<response> begin(request r, next on) const override { return limited(this, std::move(r), std::move(on)); }

private:
  static task<response> limited(const limiter* self, request r, next on) {
    const auto key = self->key_of(r);
    if (!key) {
      auto uncounted = on(std::move(r));
      co_return co_await std::move(uncounted);
    }
    const auto got = self->buckets_.take(std::string_view(*key).substr(0, most_of_key), this_actor::system().now());
    if (!got.taken) co_return self->refusal(got);
    auto rest = on(std::move(r));
    auto answer = co_await std::move(rest);
    self->mark(answer, got);
    co_return answer;
  }

  std::optional<std::string> key_of(const request& r) const {
    return how_.key ? how_.key(r) : std::optional(peer_group(r.peer()));
  }
  void mark(response& answer, const internal::token_buckets::outcome& got) const {
    if (!how_.fields) return;
    answer.header("RateLimit-Policy", policy_);
    answer.header("RateLimit", fmt::format("\"default\";r={};t={}", got.left, whole_seconds_up(got.full_in)));
  }
  response refusal(const internal::token_buckets::outcome& got) const {
    const auto seconds = whole_seconds_up(got.wait);
    auto answer = text(fmt::format("too many requests; try again in {} s\n", seconds), 429);
    answer.header("Retry-After", std::to_string(seconds));
    mark(answer, got);
    return answer;
  }

  const rate_limit_options how_;
  const std::string policy_;
  mutable internal::token_buckets buckets_;
};

} // namespace

std::string peer_group(std::string_view peer) {
  if (!peer.starts_with('[')) return std::string(peer.substr(0, peer.rfind(':')));
  const auto end = peer.find(']');
  if (end == peer.npos) return std::string(peer);
  const auto host = peer.substr(1, end - 1);
  return group_of_six(std::string(host.substr(0, host.find('%')))); // a zone says through which interface
}

middleware rate_limit(rate_limit_options how) { return middleware(std::make_shared<const limiter>(std::move(how))); }

} // namespace greenroom::http
