#include <greenroom/actors/graph_deployment.hpp>

#include <charconv>
#include <limits>

#include <fmt/format.h>

#include <greenroom/actors/internal/deployment_check.hpp>
#include <greenroom/actors/internal/toml_reader.hpp>
#include <greenroom/runtime/detail/file_and_line.hpp>
#include <greenroom/runtime/files.hpp>

namespace greenroom {

namespace {

using namespace std::chrono_literals;

constexpr auto least_detection = 30ms;

} // namespace

deployment& deployment::add(deployed_node node, std::source_location where) {
  add({std::move(node), detail::file_and_line(where)});
  return *this;
}

deployment& deployment::place(std::string graph_node, std::string node, std::source_location where) {
  place({std::move(graph_node), std::move(node), detail::file_and_line(where)});
  return *this;
}

deployment& deployment::detect_within(std::chrono::milliseconds silence) {
  if (silence < least_detection)
    throw usage_error(fmt::format("deployment: a node is down after a silence of {} ms or more, not {}",
                                  least_detection.count(), silence.count()));
  detection_ = silence;
  return *this;
}

std::vector<std::string> deployment::faults(const graph& g) const { return internal::faults_of(g.plan(), *this); }

#if GREENROOM_HAS_TOML

namespace {

/// Reads one file.
class deployment_reader {
public:
  explicit deployment_reader(const std::filesystem::path& file) : file_(file), from_(file.native()) {}

  result<deployment> read(const toml::table& all) {
    from_.only_known(all, {"deployment", "nodes", "place"});
    if (const auto* const own = from_.table(all, "deployment")) read_own(*own);
    for (const auto& [name, in] : from_.tables(all, "nodes")) read_node(name, *in.at, *in.value);
    if (const auto* const places = from_.table(all, "place")) read_places(*places);
    if (all.get("nodes") == nullptr)
      from_.fault(all, "it names no nodes: write [nodes.NAME] for each process that runs a part of the graph");
    if (from_.has_faults()) return from_.all_faults();
    return std::move(made_);
  }

private:
  std::string place_of(const toml::node& at) const {
    const auto& where = at.source().begin;
    return fmt::format("{}:{}:{}", file_.native(), where.line, where.column);
  }

  void read_own(const toml::table& in) {
    from_.only_known(in, {"detection"});
    const auto silence = from_.time(in, "detection");
    if (!silence) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*silence);
    if (ms < least_detection || ms > 24h)
      return from_.fault(*in.get("detection"),
                         fmt::format("detection must be from {} ms to a day", least_detection.count()));
    made_.detect_within(ms);
  }

  void read_node(const std::string& name, const toml::node& at, const toml::table& in) {
    from_.only_known(in, {"at", "tls"});
    deployed_node node{.name = name};
    if (const auto address = from_.text(in, "at")) read_address(*in.get("at"), *address, node);
    if (const auto* const tls = from_.table(in, "tls")) node.tls = read_tls(name, *tls);
    made_.add({std::move(node), place_of(at)});
  }

  /// "10.0.0.7:7001", or "[::1]:7001"
  void read_address(const toml::node& at, const std::string& text, deployed_node& node) {
    const auto colon = text.rfind(':');
    auto host = text.substr(0, colon == text.npos ? 0 : colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::uint32_t port = 0;
    const char* const end = text.data() + text.size();
    const auto read = colon == text.npos ? std::from_chars_result{text.data(), std::errc::invalid_argument}
                                         : std::from_chars(text.data() + colon + 1, end, port);
    if (host.empty() || read.ec != std::errc() || read.ptr != end || port > std::numeric_limits<std::uint16_t>::max())
      return from_.fault(at, fmt::format("'{}' is no address: write \"HOST:PORT\"", text));
    if (port == 0)
      return from_.fault(at, fmt::format("node '{}' has port 0, so the others could not find it: give it one, or no "
                                         "address if nothing crosses to it",
                                         node.name));
    node.host = std::move(host);
    node.port = static_cast<std::uint16_t>(port);
  }

  node_tls read_tls(const std::string& name, const toml::table& in) {
    from_.only_known(in, {"ca", "certificate", "key"});
    const auto file = [&](const char* key) {
      const auto given = from_.text(in, key);
      if (in.get(key) == nullptr) from_.fault(in, fmt::format("the tls of node '{}' has no {} = \"...\"", name, key));
      return file_.parent_path() / given.value_or("");
    };
    auto ca = file("ca");
    auto certificate = file("certificate");
    return {std::move(ca), std::move(certificate), file("key")};
  }

  void read_places(const toml::table& in) {
    for (const auto& [key, value] : in) {
      if (auto node = value.value_exact<std::string>()) {
        made_.place({std::string(key.str()), *std::move(node), place_of(value)});
      } else {
        from_.fault(value, fmt::format("{} must be the name of a node, in quotes", key.str()));
      }
    }
  }

  const std::filesystem::path& file_;
  internal::toml_reader from_;
  deployment made_;
};

} // namespace

result<deployment> load_deployment(const std::filesystem::path& file) {
  const auto content = real_files().read_all(file);
  if (!content)
    return error(content.error().code(), fmt::format("cannot load a deployment: {}", content.error().message()));
  const toml::parse_result parsed = toml::parse(*content);
  if (!parsed) {
    const auto& why = parsed.error();
    return error(errc::parse, fmt::format("{}:{}:{}: {}", file.native(), why.source().begin.line,
                                          why.source().begin.column, why.description()));
  }
  return deployment_reader(file).read(parsed.table());
}

#else

result<deployment> load_deployment(const std::filesystem::path& file) {
  return error(errc::unsupported,
               fmt::format("cannot load a deployment: {}: this build has no TOML: configure it with GREENROOM_TOML=ON",
                           file.native()));
}

#endif

} // namespace greenroom
