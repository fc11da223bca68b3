#include <greenroom/http/client_message.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/detail/response_data.hpp>
#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/field_line.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {
namespace {

// They say where a message ends and whether its connection stays, which is the client's business.
constexpr std::array<std::string_view, 9> fields_of_the_client{
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"};

} // namespace

client_request& client_request::header(std::string_view name, std::string_view value) {
  using internal::all_of;
  if (name.empty() || !all_of(name, internal::token_char))
    throw usage_error(fmt::format("http::client_request: '{}' is no name for a header field", name));
  if (!all_of(value, internal::value_char))
    throw usage_error(
        fmt::format("http::client_request: the value of the header field {} holds a control character", name));
  for (const auto own : fields_of_the_client) {
    if (internal::same_word(name, own))
      throw usage_error(fmt::format("http::client_request: the client writes the header field {} itself", name));
  }
  fields_.push_back({std::string(name), std::string(internal::trimmed(value))});
  return *this;
}

response_head::response_head(std::unique_ptr<detail::response_data> data) noexcept : data_(std::move(data)) {}
response_head::response_head(response_head&&) noexcept = default;
response_head& response_head::operator=(response_head&&) noexcept = default;
response_head::~response_head() = default;

int response_head::status() const noexcept { return data_->status; }
std::string_view response_head::reason() const noexcept { return data_->reason; }
std::span<const field> response_head::headers() const noexcept { return data_->fields; }
std::span<const field> response_head::trailers() const noexcept { return detail::fields_of(data_->trailers.get()); }
std::string_view response_head::url() const noexcept { return data_->url; }

std::optional<std::string_view> response_head::header(std::string_view name) const noexcept {
  return internal::find_field(data_->fields, name);
}

client_response::client_response(std::unique_ptr<detail::response_data> data) noexcept
    : response_head(std::move(data)) {}
std::string_view client_response::body() const noexcept { return data_->body; }
std::string client_response::take_body() noexcept { return std::exchange(data_->body, {}); }

} // namespace greenroom::http
