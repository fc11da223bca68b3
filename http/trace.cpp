#include <greenroom/http/trace.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/id_source.hpp>
#include <greenroom/http/internal/single_field.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::http {
namespace {

constexpr std::size_t longest_request_id = 128;
constexpr std::size_t most_state = 512;
constexpr std::size_t most_members = 32;
constexpr std::size_t long_member = 128;

constexpr bool is_lower_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool all_hex(std::string_view text) noexcept { return std::all_of(text.begin(), text.end(), is_lower_hex); }
bool all_zero(std::string_view text) noexcept { return text.find_first_not_of('0') == text.npos; }

template <std::size_t N>
std::array<char, N> digits_of(std::string_view text) noexcept {
  std::array<char, N> digits{};
  std::copy_n(text.begin(), N, digits.begin());
  return digits;
}

// -- tracestate -------------------------------------------------------------------------------------------

bool is_key_part(std::string_view text, std::size_t most) noexcept {
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/'; };
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), fits);
}

bool is_key(std::string_view key) noexcept {
  const auto at = key.find('@');
  if (at == key.npos) return is_key_part(key, 256) && is_lower(key.front());
  const auto tenant = key.substr(0, at);
  const auto system = key.substr(at + 1);
  return is_key_part(tenant, 241) && (is_lower(tenant.front()) || is_digit(tenant.front())) &&
         is_key_part(system, 14) && is_lower(system.front());
}

bool is_value(std::string_view value) noexcept {
  const auto fits = [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; };
  return !value.empty() && value.size() <= 256 && value.back() != ' ' && std::all_of(value.begin(), value.end(), fits);
}

bool is_member(std::string_view member) noexcept {
  const auto equals = member.find('=');
  return equals != member.npos && is_key(member.substr(0, equals)) && is_value(member.substr(equals + 1));
}

std::size_t length_of(const std::vector<std::string_view>& members) noexcept {
  std::size_t n = members.empty() ? 0 : members.size() - 1;
  for (const auto member : members) n += member.size();
  return n;
}

/// Returns what is handed on of the field; "" for one that is malformed, which does not harm the trace.
std::string state_of(std::string_view field) {
  std::vector<std::string_view> members;
  bool sound = true;
  internal::for_each_element(field, [&](std::string_view member) {
    sound = sound && members.size() < most_members && is_member(member);
    if (sound) members.push_back(member);
  });
  if (!sound) return {};
  if (length_of(members) > most_state) std::erase_if(members, [](auto member) { return member.size() > long_member; });
  while (length_of(members) > most_state) members.pop_back();
  return fmt::format("{}", fmt::join(members, ","));
}

} // namespace

// -- values -----------------------------------------------------------------------------------------------

bool is_request_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_request_id && internal::all_of(text, internal::token_char);
}

std::string_view current_request_id() {
  if (greenroom::detail::this_turn.cell == nullptr) return {};
  const auto* const id = this_actor::context().value<request_id>(); // the actor keeps its context
  return id != nullptr ? std::string_view(id->text) : std::string_view();
}

std::optional<trace_context> trace_context::parse(std::string_view traceparent, std::string_view tracestate) {
  constexpr std::size_t length = 55; // 00-<32>-<16>-<2>
  const auto& text = traceparent;
  if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = text.substr(0, 2);
  const auto trace = text.substr(3, 32);
  const auto span = text.substr(36, 16);
  const auto flags = text.substr(53, 2);
  if (!all_hex(version) || !all_hex(trace) || !all_hex(span) || !all_hex(flags)) return std::nullopt;
  if (version == "ff" || all_zero(trace) || all_zero(span)) return std::nullopt;
  if (text.size() > length && (version == "00" || text[length] != '-')) return std::nullopt;
  // The other flags have no meaning yet, and must not be handed on.
  trace_context read(digits_of<32>(trace), digits_of<16>(span), (internal::hex_value(flags[1]) & 1) != 0);
  read.state_ = state_of(tracestate);
  return read;
}

std::string trace_context::traceparent() const {
  return fmt::format("00-{}-{}-{}", trace_id(), span_id(), sampled_ ? "01" : "00");
}

trace_context trace_context::child(const digits_16& span) const {
  auto made = *this;
  made.parent_ = span_;
  made.has_parent_ = true;
  made.span_ = span;
  return made;
}

std::string traceparent_of(const context& under) {
  const auto* const trace = under.value<trace_context>();
  return trace != nullptr ? trace->traceparent() : std::string();
}

// -- the middleware ---------------------------------------------------------------------------------------

namespace {

/// The parts of a field that may come in several lines, in their order.
std::string joined(const request& r, std::string_view name) {
  std::string all;
  for (const auto& f : r.headers()) {
    if (!internal::same_word(f.name, name)) continue;
    if (!all.empty()) all += ',';
    all += f.value;
  }
  return all;
}

class tracer final : public detail::any_middleware {
public:
  explicit tracer(trace_options how) : how_(how) {
    if (!(how.sample >= 0 && how.sample <= 1)) {
      throw usage_error(fmt::format("http::trace_requests: the option sample must be from 0 to 1, not {}", how.sample));
    }
  }
  task<response> begin(request r, next on) const override { return traced(this, std::move(r), std::move(on)); }

private:
  static task<response> traced(const tracer* self, request r, next on) {
    const auto id = self->id_of(r);
    const auto under = this_actor::context().with_value(self->trace_of(r)).with_value(id);
    r.mark_answer("X-Request-Id", id.text);
    auto rest = go_on(std::move(on), std::move(r));
    auto known = within(under, std::move(rest));
    auto answer = co_await std::move(known);
    if (!answer) throw cancelled{answer.error()};
    auto named = *std::move(answer);
    if (!named.header("X-Request-Id")) named.header("X-Request-Id", id.text);
    co_return named;
  }
  /// A coroutine, so that a handler which is none is called under the new context, too.
  static task<response> go_on(next on, request r) {
    auto answer = on(std::move(r));
    co_return co_await std::move(answer);
  }

  request_id id_of(const request& r) const {
    const auto given = internal::single_field(r.headers(), "x-request-id");
    if (how_.take_request_id && given.text && is_request_id(*given.text)) return {std::string(*given.text)};
    request_id made{std::string(32, '0')};
    random_.fill(made.text);
    return made;
  }
  trace_context trace_of(const request& r) const {
    trace_context::digits_16 span{};
    random_.fill(span);
    if (how_.take_trace) {
      const auto parent = internal::single_field(r.headers(), "traceparent");
      if (parent.text) {
        if (const auto caller = trace_context::parse(*parent.text, joined(r, "tracestate"))) return caller->child(span);
      }
    }
    trace_context::digits_32 trace{};
    random_.fill(trace);
    return {trace, span, random_.fraction() < how_.sample};
  }

  const trace_options how_;
  mutable internal::id_source random_;
};

} // namespace

middleware trace_requests(trace_options how) { return middleware(std::make_shared<const tracer>(how)); }

} // namespace greenroom::http
