#include <greenroom/http/graph_page.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/detail/json_value.hpp>
#include <greenroom/http/internal/conditions.hpp>
#include <greenroom/http/internal/graph_document.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {
namespace {

using namespace std::chrono_literals;

// What the page shows of a node's actors: the rings of the flight recorder are copied for each of them.
constexpr std::size_t most_flights = 4;
constexpr std::size_t most_events = 40;

/// The deadlocks of one system, searched for now and then. Thread safety: any thread.
class knot_search {
public:
  explicit knot_search(const graph_page_options& how) noexcept : how_(how) {}

  deadlock_report look(const actor_system& sys) {
    {
      const std::lock_guard guard(mutex_);
      const auto now = sys.now();
      if (now < next_ || sys.live_actors() > how_.knots_up_to) return last_;
      next_ = now + how_.knots_every; // who comes meanwhile does not wait for the search
    }
    auto found = sys.deadlocks(100ms);
    const std::lock_guard guard(mutex_);
    return last_ = std::move(found);
  }

private:
  const graph_page_options how_;
  std::mutex mutex_;
  time_point next_{}; // guarded by mutex_, as is last_
  deadlock_report last_;
};

struct gallery {
  struct picture {
    service shown;
    std::unique_ptr<knot_search> knots;
  };
  std::vector<picture> pictures;

  const picture* find(const request& r) const {
    const auto wanted = r.query_value("graph");
    if (!wanted) return &pictures.front();
    const auto found =
        std::find_if(pictures.begin(), pictures.end(), [&](const auto& one) { return one.shown.name() == *wanted; });
    return found == pictures.end() ? nullptr : &*found;
  }
};
using shared_gallery = std::shared_ptr<const gallery>;

response not_here(const char* what) {
  return text(fmt::format("there is no such {} here; /graph/list.json lists the graphs\n", what), 404);
}
response fresh(response r) { return std::move(r).header("Cache-Control", "no-store"); }

graph_look look_at(const gallery::picture& one) {
  auto look = one.shown.look();
  if (one.shown.self().finished()) return look;
  const auto& sys = one.shown.system();
  look.mark(one.knots->look(sys));
  look.mark(sys.stuck_actors());
  return look;
}

response show_json(request r, shared_gallery all) {
  const auto* const one = all->find(r);
  return one == nullptr ? not_here("graph") : fresh(json(look_at(*one).to_json()));
}
response show_dot(request r, shared_gallery all) {
  const auto* const one = all->find(r);
  return one == nullptr ? not_here("graph") : fresh({200, "text/vnd.graphviz", look_at(*one).to_dot()});
}
response show_mermaid(request r, shared_gallery all) {
  const auto* const one = all->find(r);
  return one == nullptr ? not_here("graph") : fresh({200, "text/vnd.mermaid", look_at(*one).to_mermaid()});
}

response list(shared_gallery all) {
  detail::json_writer names;
  names.open_array();
  for (const auto& one : all->pictures) names.text(one.shown.name());
  names.close_array();
  return fresh(json(names.str() + "\n"));
}

response show_node(request r, shared_gallery all) {
  const auto* const one = all->find(r);
  if (one == nullptr) return not_here("graph");
  auto look = look_at(*one);
  const auto wanted = r.query_value("node");
  std::erase_if(look.nodes, [&](const auto& node) { return !wanted || node.name != *wanted; });
  if (look.nodes.empty()) return not_here("node");
  look.edges.clear();
  look.entries.clear();
  std::string flights;
  const auto& actors = look.nodes.front().actors;
  for (std::size_t i = 0; i < std::min(actors.size(), most_flights) && !one->shown.self().finished(); ++i) {
    const auto flight = one->shown.system().flight({.actor = actors[i].id, .most = most_events});
    flights += (flights.empty() ? "" : ",") + flight.to_json();
  }
  return fresh(json(fmt::format(R"({{"graph":{},"flights":[{}]}})", look.to_json(), flights)));
}

/// The page is the same for all; a browser that has it asks whether it still is.
response show_page(request r) {
  const auto& page = internal::graph_document;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto verdict = internal::evaluate_conditions(r.method(), r.headers(), {.etag = page.etag}, now);
  auto answer = verdict == internal::verdict::not_modified          ? response(304)
                : verdict == internal::verdict::precondition_failed ? response(412)
                                                                    : html(std::string(page.text));
  const auto policy = fmt::format("default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; "
                                  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                                  page.script, page.style);
  answer.header("ETag", page.etag).header("Cache-Control", "no-cache").header("Content-Security-Policy", policy);
  answer.header("X-Content-Type-Options", "nosniff").header("Referrer-Policy", "no-referrer");
  return answer;
}

} // namespace

routes graph_page(std::vector<service> shown, graph_page_options how) {
  if (shown.empty()) throw usage_error("graph_page: there is no service to show");
  const auto all = std::make_shared<gallery>();
  for (auto& one : shown) {
    for (const auto& other : all->pictures) {
      if (other.shown.name() == one.name())
        throw usage_error(
            fmt::format("graph_page: two of the graphs are named '{}': they go by their names", one.name()));
    }
    all->pictures.push_back({std::move(one), std::make_unique<knot_search>(how)});
  }
  const shared_gallery pictures = all;
  routes page;
  page.get("/graph", show_page).get("/graph.json", show_json, pictures);
  page.get("/graph.dot", show_dot, pictures).get("/graph.mmd", show_mermaid, pictures);
  page.get("/graph/list.json", list, pictures).get("/graph/actor.json", show_node, pictures);
  return page;
}

routes graph_page(service shown, graph_page_options how) {
  return graph_page(std::vector<service>{std::move(shown)}, how);
}

} // namespace greenroom::http
