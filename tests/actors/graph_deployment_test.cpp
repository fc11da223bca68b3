// Deployments: what is read, the sentence of each fault and its place, and how a graph looks that is split. How one runs: tests/caf/graph_part_test.cpp.
#include <greenroom/actors/graph_deployment.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

namespace split {

struct order {
  int number = 0;
};
template <class Inspector>
bool inspect(Inspector& f, order& x) {
  return f.object(x).fields(f.field("number", x.number));
}
struct question {
  int number = 0;
  using reply = order;
};
template <class Inspector>
bool inspect(Inspector& f, question& x) {
  return f.object(x).fields(f.field("number", x.number));
}
struct parcel { // stays where it is
  std::unique_ptr<int> content;
};
struct riddle {
  int number = 0;
  using reply = parcel;
};
template <class Inspector>
bool inspect(Inspector& f, riddle& x) {
  return f.object(x).fields(f.field("number", x.number));
}
struct session { // has an inspect() for others, with what cannot cross
  parcel held;
};
template <class Inspector>
bool inspect(Inspector& f, session& x) {
  return f.object(x).fields(f.field("held", x.held));
}

} // namespace split
template <>
inline constexpr bool greenroom::wire_stays<split::session> = true;

namespace greenroom::graph_deployment_test {
namespace {

using split::order;
using split::parcel;

template <class T>
constexpr bool crosses = detail::crossing_of<T>::possible;

TEST(CrossingKind, IsKnownOfTheTypesThatWireTakesAndOfRequestsOfThem) {
  static_assert(crosses<int> && crosses<std::string> && crosses<order> && crosses<std::vector<order>>);
  static_assert(crosses<std::map<std::string, std::array<double, 3>>> && crosses<std::optional<std::pair<int, order>>>);
  static_assert(crosses<std::variant<std::monostate, order>> && crosses<std::chrono::milliseconds>);
  static_assert(crosses<std::chrono::system_clock::time_point> && crosses<std::tuple<bool, std::vector<int>>>);
  static_assert(crosses<request<split::question>>);
  static_assert(!crosses<parcel> && !crosses<int*> && !crosses<std::vector<parcel>> && !crosses<std::unique_ptr<int>>);
  static_assert(!crosses<std::map<int, parcel>> && !crosses<std::variant<int, parcel>> && !crosses<dead_letter>);
  static_assert(!crosses<request<split::riddle>>); // its answer could not come back
  static_assert(!crosses<split::session>);
  EXPECT_NE(detail::crossing_kind_of<order>(), nullptr);
  EXPECT_EQ(detail::crossing_kind_of<parcel>(), nullptr);
}

task<> take_in(address<order> out) {
  const order first{1};
  (void)co_await out.send(first);
}
task<> pass(mailbox<order> in, address<order> out) {
  while (const auto next = co_await in.receive()) (void)co_await out.send(*next);
}
task<> book(mailbox<order> in) {
  while (const auto next = co_await in.receive()) continue;
}
task<> pack(mailbox<order> in, address<parcel> out) {
  while (const auto next = co_await in.receive()) {
    parcel one;
    (void)co_await out.send(std::move(one));
  }
}
task<> ship(mailbox<parcel> in) {
  while (const auto next = co_await in.receive()) continue;
}
task<> clinic(mailbox<dead_letter> in) {
  while (const auto next = co_await in.receive()) continue;
}

/// intake -> pricing -> ledger
graph shop() {
  graph g("shop");
  const auto intake = g.add("intake", take_in);
  const auto pricing = g.add("pricing", pass);
  const auto ledger = g.add("ledger", book);
  g.connect(intake, pricing, bounded(8));
  g.connect(pricing, ledger, bounded(8));
  return g;
}

class DeploymentFile : public testing::Test {
protected:
  ~DeploymentFile() override { std::filesystem::remove(file); }

  result<deployment> load(const std::string& text) {
    std::ofstream(file) << text;
    return load_deployment(file);
  }
  /// What is wrong with it, or with it for a graph, without the name of the file.
  std::vector<std::string> faults(const std::string& text, const graph& g = shop()) {
    const auto where = load(text);
    std::vector<std::string> all;
    if (where) {
      all = where->faults(g);
    } else {
      std::string lines(where.error().message());
      for (std::size_t end = 0; !lines.empty(); lines.erase(0, end + 1)) {
        end = std::min(lines.find('\n'), lines.size());
        all.push_back(lines.substr(0, end));
        if (end == lines.size()) break;
      }
    }
    for (auto& fault : all) {
      const auto at = fault.find(file.native());
      if (at != fault.npos) fault.erase(at, file.native().size() + 1);
    }
    return all;
  }

  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("greenroom_deployment_" + std::to_string(::getpid()) + ".toml");
};

using sentences = std::vector<std::string>;

TEST_F(DeploymentFile, NamesNodesWithTheirAddressesAndWhatRunsWhere) {
  const auto where = load(R"(
[deployment]
detection = "5s"
[nodes.zoo]
[nodes.bank]
at = "[::1]:7001"
[nodes.annex]
at = "localhost:7002"
[place]
ledger = "bank"
pricing = "annex"
)");
  ASSERT_TRUE(where) << where.error().message();
  EXPECT_EQ(where->detection(), std::chrono::seconds(5));
  ASSERT_EQ(where->nodes().size(), 3U);
  EXPECT_EQ(where->nodes()[0].node.name, "zoo"); // as they stand in the file
  EXPECT_EQ(where->nodes()[1].node.host, "::1");
  EXPECT_EQ(where->nodes()[1].node.port, 7001);
  EXPECT_EQ(where->faults(shop()), sentences());
}

TEST_F(DeploymentFile, CertificatesStandBesideIt) {
  const auto where = load(R"(
[nodes.shop]
tls = { ca = "ca.pem", certificate = "shop.pem", key = "/etc/shop.key" }
)");
  ASSERT_TRUE(where) << where.error().message();
  const auto& tls = where->nodes()[0].node.tls;
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->ca_file, file.parent_path() / "ca.pem");
  EXPECT_EQ(tls->key_file, "/etc/shop.key");
}

TEST_F(DeploymentFile, EachFaultIsSaidWithItsPlace) {
  EXPECT_EQ(faults("[nodes.a]\nat = \"127.0.0.1\"\n[nodes.b]\nat = \"x:0\"\nport = 1\n[place]\nledger = 1\n[other]\n"),
            (sentences{"2:6: '127.0.0.1' is no address: write \"HOST:PORT\"",
                       "4:6: node 'b' has port 0, so the others could not find it: give it one, or no address if "
                       "nothing crosses to it",
                       "5:8: 'port' is not known here; there are at, tls",
                       "7:10: ledger must be the name of a node, in quotes",
                       "8:1: 'other' is not known here; there are deployment, nodes, place"}));
  EXPECT_EQ(
      faults("[deployment]\ndetection = \"1ms\"\n[nodes.a]\ntls = { ca = \"x\" }\n"),
      (sentences{"2:13: detection must be from 30 ms to a day", "4:7: the tls of node 'a' has no certificate = \"...\"",
                 "4:7: the tls of node 'a' has no key = \"...\""}));
  EXPECT_EQ(faults(""),
            sentences{"1:1: it names no nodes: write [nodes.NAME] for each process that runs a part of the graph"});
}

TEST_F(DeploymentFile, WhatDoesNotFitTheGraphIsSaidWithItsPlace) {
  const std::string nodes = "[nodes.shop]\n[nodes.bank]\nat = \"127.0.0.1:7001\"\n[place]\n";
  EXPECT_EQ(faults(nodes + "ledgr = \"bank\"\npricing = \"bnak\"\n"),
            (sentences{
                "5:9: there is no node 'ledgr' in graph 'shop' to be placed; there are 'intake', 'pricing', 'ledger'",
                "6:11: 'pricing' is placed on node 'bnak', which is not in the deployment; there are 'shop', 'bank'"}));
  EXPECT_EQ(faults("[nodes.shop]\n[nodes.bank]\n[place]\nledger = \"bank\"\n"),
            sentences{"4:10: the link from output 0 of 'pricing' to input 0 of 'ledger' crosses to node 'bank', which "
                      "has no address: give it a host and a port"});
  EXPECT_EQ(faults("[nodes.shop]\n[nodes.bank]\nat = \"10.0.0.7:7001\"\n[place]\nledger = \"bank\"\n"),
            sentences{"2:1: node 'bank' is at 10.0.0.7, which is not loopback: anybody there could send to its actors; "
                      "give all nodes certificates, tls"});
  EXPECT_EQ(faults(nodes + "[nodes.spare]\nat = \"127.0.0.1:7001\"\n"),
            sentences{"5:1: node 'spare' is at 127.0.0.1:7001, as is node 'bank': each needs a port of its own"});
  EXPECT_EQ(faults(nodes),
            sentences{"2:1: nothing runs on node 'bank': place a node of the graph there, or leave it out"});
}

TEST_F(DeploymentFile, APlaceThatIsGivenTwiceIsAFaultOfTheFile) {
  const auto all = faults("[nodes.a]\n[place]\nledger = \"a\"\nledger = \"a\"\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].starts_with("4:")) << all[0];
}

/// Without the place in this file.
sentences faults_of(const deployment& where, const graph& g) {
  auto all = where.faults(g);
  for (auto& fault : all) {
    if (fault.starts_with("graph_deployment_test.cpp:")) fault.erase(0, fault.find(": ") + 2);
  }
  return all;
}

TEST(Deployment, FaultsOfOneMadeInCodeHaveTheirPlaceInTheCode) {
  deployment where;
  where.add({.name = "a"}).add({.name = "a"}).place("ledger", "a").place("ledger", "a");
  const auto all = where.faults(shop());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].starts_with("graph_deployment_test.cpp:")) << all[0];
  const auto plain = faults_of(where, shop());
  EXPECT_EQ(plain[0], "two nodes are called 'a': name each of them differently");
  EXPECT_TRUE(plain[1].starts_with("'ledger' is placed twice, at graph_deployment_test.cpp:")) << plain[1];
}

TEST(Deployment, ItemsThatCannotCrossAreAFaultThatNamesTheLinkAndTheType) {
  graph g("shop");
  const auto intake = g.add("intake", take_in);
  const auto packing = g.add("packing", pack);
  const auto shipping = g.add("shipping", ship);
  g.connect(intake, packing, bounded(8));
  g.connect(packing, shipping, bounded(8));
  deployment where;
  where.add({.name = "here"}).add({.name = "there", .port = 7001}).place("shipping", "there");
  EXPECT_EQ(faults_of(where, g),
            sentences{"the link from output 0 of 'packing' to input 0 of 'shipping' crosses from node 'here' to node "
                      "'there', but items of type split::parcel cannot: write an inspect() beside the type, see "
                      "wire.hpp, or place both on one node"});
  where = deployment();
  where.add({.name = "here"}).add({.name = "there", .port = 7001}).place("shipping", "there").place("packing", "there");
  EXPECT_EQ(faults_of(where, g), sentences());
}

TEST(Deployment, WhatIsRestartedTogetherAndDeadLettersStayTogether) {
  auto g = shop();
  const auto more = g.add("more", {.queue = queue_fate::dead_letter}, book);
  (void)g.entry(more.in<0>(), bounded(8));
  const auto doctor = g.add("clinic", clinic);
  g.dead_letters(doctor.in<0>(), bounded(8));
  const auto again = g.add("again", book);
  (void)g.entry(again.in<0>(), bounded(8));
  g.group("both", {.strategy = one_for_all}, more, again);
  deployment where;
  where.add({.name = "here"}).add({.name = "there", .port = 7001}).place("more", "there");
  EXPECT_EQ(faults_of(where, g),
            (sentences{"the nodes of group 'both' are restarted together (one_for_all), but 'more' runs on node "
                       "'there' and 'again' on node 'here': place them on one node",
                       "what 'more' cannot handle is to become a dead letter on node 'there', but 'clinic', which "
                       "takes them, runs on node 'here', and they cannot cross: place both on one node"}));
}

TEST(Deployment, CertificatesAreForAllOrForNone) {
  deployment where;
  where.add({.name = "here"}).add({.name = "there", .port = 7001, .tls = node_tls{}}).place("ledger", "there");
  EXPECT_EQ(faults_of(where, shop()),
            sentences{"node 'there' has a tls, and node 'here' has none: all need certificates, or none"});
}

TEST(Deployment, RunRefusesFaultsOfGraphAndDeploymentTogether) {
  auto g = shop();
  (void)g.add("lonely", book);
  deployment where;
  where.add({.name = "here"}).place("ledger", "nowhere");
  actor_system sys;
  try {
    (void)run(sys, g, where, "here");
    FAIL() << "it runs";
  } catch (const graph_error& e) {
    EXPECT_EQ(e.faults().size(), 3U) << e.what(); // open, not reached, and the place
  }
  where = deployment();
  where.add({.name = "here"}).add({.name = "there", .port = 7001}).place("ledger", "there");
  EXPECT_THROW((void)run(sys, shop(), where, "elsewhere"), usage_error);
}

TEST(Deployment, ALookShowsPlacesAndWhatCrosses) {
  deployment where;
  where.add({.name = "front"}).add({.name = "bank", .port = 7001}).place("ledger", "bank");
  const auto look = look_at(shop(), where);
  ASSERT_EQ(look.places.size(), 2U);
  EXPECT_EQ(look.places[1].address, "127.0.0.1:7001");
  EXPECT_EQ(look.nodes[2].place, 1U);
  EXPECT_FALSE(look.edges[0].crosses);
  EXPECT_TRUE(look.edges[1].crosses);
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != text.npos; };
  const auto dot = look.to_dot();
  EXPECT_TRUE(has(
      dot,
      "subgraph cluster_1 {\n  label=\"bank at 127.0.0.1:7001\";\n  fontname=sans;\n  n2 [label=\"ledger\"];\n  }\n"))
      << dot;
  EXPECT_TRUE(has(dot, "n1 -> n2 [label=\"split::order: 0 queued\", color=blue];")) << dot;
  EXPECT_TRUE(has(look.to_mermaid(), "  subgraph p0[\"front\"]\n  n0[\"intake\"]\n  n1[\"pricing\"]\n  end\n"))
      << look.to_mermaid();
  EXPECT_TRUE(has(look.to_json(), R"("places":[{"name":"front","address":"","state":"declared","trouble":""},)"))
      << look.to_json();
  EXPECT_FALSE(has(look_at(shop()).to_json(), "places"));
}

} // namespace
} // namespace greenroom::graph_deployment_test
