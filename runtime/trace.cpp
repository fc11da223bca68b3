#include <greenroom/runtime/trace.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/detail/actor_cell.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom {
namespace {

constexpr std::size_t most_state = 512;
constexpr std::size_t most_members = 32;
constexpr std::size_t long_member = 128;

constexpr bool is_lower_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_odd_hex(char c) noexcept { return ((is_digit(c) ? c - '0' : c - 'a' + 10) & 1) != 0; }

bool all_hex(std::string_view text) noexcept { return std::all_of(text.begin(), text.end(), is_lower_hex); }
bool all_zero(std::string_view text) noexcept { return text.find_first_not_of('0') == text.npos; }

template <std::size_t N>
std::array<char, N> digits_of(std::string_view text) noexcept {
  std::array<char, N> digits{};
  std::copy_n(text.begin(), N, digits.begin());
  return digits;
}

// -- digits at random -------------------------------------------------------------------------------------

/// 64 bits for identifiers, unique but not secret. An actor draws from its system; a thread of others' must not repeat those of another.
std::uint64_t random_bits() noexcept {
  if (detail::this_turn.core == nullptr) {
    thread_local xoshiro own(random_seed());
    return own.next();
  }
  const std::uint64_t high = detail::random_below(UINT32_MAX);
  return high << 32 | detail::random_below(UINT32_MAX);
}

template <std::size_t N>
std::array<char, N> random_digits() noexcept {
  constexpr const char* hex = "0123456789abcdef";
  std::array<char, N> digits{};
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < N; ++i, bits >>= 4) {
    if (i % 16 == 0) bits = random_bits();
    digits[i] = hex[bits & 15];
  }
  if (all_zero({digits.data(), N})) digits.back() = '1';
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

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Returns what is handed on of the field; "" for one that is malformed, which does not harm the trace.
std::string state_of(std::string_view field) {
  std::vector<std::string_view> members;
  while (!field.empty()) {
    const auto comma = std::min(field.find(','), field.size());
    const auto member = trimmed(field.substr(0, comma));
    field.remove_prefix(std::min(comma + 1, field.size()));
    if (member.empty()) continue;
    if (members.size() == most_members || !is_member(member)) return {};
    members.push_back(member);
  }
  if (length_of(members) > most_state) std::erase_if(members, [](auto member) { return member.size() > long_member; });
  while (length_of(members) > most_state) members.pop_back();
  return fmt::format("{}", fmt::join(members, ","));
}

} // namespace

// -- values -----------------------------------------------------------------------------------------------

trace_context::trace_context(const digits_32& trace, const digits_16& span, bool sampled) {
  auto root = std::make_shared<const detail::trace_root>(detail::trace_root{trace, sampled});
  it_ = new detail::trace_record;
  it_->span = span;
  it_->root = std::move(root);
}

void trace_context::drop() noexcept {
  if (it_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete it_;
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
  trace_context read(digits_of<32>(trace), digits_of<16>(span), is_odd_hex(flags[1]));
  if (auto state = state_of(tracestate); !state.empty()) {
    auto root = *read.it_->root;
    root.state = std::move(state);
    read.it_->root = std::make_shared<const detail::trace_root>(std::move(root));
  }
  return read;
}

std::string_view trace_context::trace_id() const noexcept {
  return it_ == nullptr ? std::string_view() : std::string_view(it_->root->trace.data(), it_->root->trace.size());
}
std::string_view trace_context::span_id() const noexcept {
  return it_ == nullptr ? std::string_view() : std::string_view(it_->span.data(), it_->span.size());
}
std::string_view trace_context::parent_id() const noexcept {
  if (it_ == nullptr || !it_->has_parent) return {};
  return {it_->parent.data(), it_->parent.size()};
}
const std::string& trace_context::state() const noexcept {
  static const std::string none;
  return it_ == nullptr ? none : it_->root->state;
}
std::string_view trace_context::request_id() const noexcept {
  return it_ == nullptr ? std::string_view() : std::string_view(it_->root->request_id);
}

std::string trace_context::traceparent() const {
  if (it_ == nullptr) return {};
  return fmt::format("00-{}-{}-{}", trace_id(), span_id(), sampled() ? "01" : "00");
}

trace_context trace_context::child(const digits_16& span) const {
  trace_context made(new detail::trace_record);
  made.it_->has_parent = true;
  made.it_->span = span;
  made.it_->parent = it_->span;
  made.it_->root = it_->root;
  return made;
}

trace_context trace_context::child() const { return child(random_digits<16>()); }

trace_context trace_context::hop(time_point now) const {
  auto made = child();
  made.it_->sent = now;
  return made;
}

trace_context trace_context::again(time_point now) const {
  if (it_ == nullptr || it_->sent == never) return *this;
  auto made = hop(now);
  made.it_->parent = it_->parent;
  return made;
}

trace_context trace_context::for_request(std::string id) const {
  trace_context made(new detail::trace_record);
  made.it_->has_parent = it_->has_parent;
  made.it_->span = it_->span;
  made.it_->parent = it_->parent;
  auto root = *it_->root;
  root.request_id = std::move(id);
  made.it_->root = std::make_shared<const detail::trace_root>(std::move(root));
  return made;
}

trace_context begin_trace(bool sampled) { return {random_digits<32>(), random_digits<16>(), sampled}; }

} // namespace greenroom
