#include <greenroom/runtime/host_options.hpp>

#include <fstream>
#include <string>
#include <vector>

#include <stdlib.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace greenroom::host_options_test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// A program called big-shop with an option of each type.
class HostOptions : public testing::Test {
protected:
  HostOptions() {
    own_.add("host", host_, "address");
    own_.add("port", port_, "port");
    own_.add("pieces", pieces_, "pieces", 1u, 9u);
    own_.add("stop_time", stop_time_, "time", 0ms, 1h);
    own_.add("page", page_, "whether there is a page");
    own_.add("book", book_, "file");
  }
  ~HostOptions() override {
    fs::remove(file_);
    for (const auto& name : variables_) ::unsetenv(name.c_str());
  }

  void write(const std::string& text) { std::ofstream(file_) << text; }
  void set_variable(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }
  std::string config() const { return "--config=" + file_.native(); }

  result<parsed_arguments> load(std::vector<std::string> arguments, other_arguments others = other_arguments::refuse) {
    std::vector<const char*> argv{"big-shop"};
    for (const auto& a : arguments) argv.push_back(a.c_str());
    return own_.load({}, static_cast<int>(argv.size()), argv.data(), others);
  }
  std::string failure(std::vector<std::string> arguments) {
    const auto loaded = load(std::move(arguments));
    return loaded ? "no failure" : std::string(loaded.error().message());
  }

  std::string host_ = "127.0.0.1";
  std::uint16_t port_ = 8080;
  unsigned pieces_ = 2;
  std::chrono::milliseconds stop_time_ = 8s;
  bool page_ = true;
  fs::path book_;
  host_options own_{"big-shop"};
  fs::path file_ = fs::temp_directory_path() / ("host_options_test." + std::to_string(::getpid()) + ".toml");
  std::vector<std::string> variables_;
};

TEST_F(HostOptions, StayAsTheyAreWhereNothingIsSaid) {
  ASSERT_EQ(failure({}), "no failure");
  EXPECT_EQ(host_, "127.0.0.1");
  EXPECT_EQ(port_, 8080);
  EXPECT_TRUE(page_);
}

TEST_F(HostOptions, CommandLineWinsOverEnvironmentOverFile) {
  write("[big-shop]\nhost = \"file\"\nport = 1\nstop_time = \"1s\"\npage = false\nbook = \"/b\"\n[greenroom]\nworkers "
        "= 3\n");
  set_variable("BIG_SHOP_PORT", "2");
  set_variable("BIG_SHOP_STOP_TIME", "2s");
  const auto loaded = load({config(), "--workers=4", "--stop-time", "3s", "--pieces=9"});
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(host_, "file");
  EXPECT_EQ(port_, 2);
  EXPECT_EQ(stop_time_, 3s);
  EXPECT_EQ(pieces_, 9u);
  EXPECT_FALSE(page_);
  EXPECT_EQ(book_, "/b");
  EXPECT_EQ(loaded->values.workers, 4u);
}

TEST_F(HostOptions, FaultsNameTheirPlaceAndTheRange) {
  EXPECT_EQ(failure({"--port", "65536"}),
            "argument --port: bad option: port: \"65536\" is not a whole number from 0 to 65535");
  EXPECT_EQ(failure({"--pieces=0"}), "argument --pieces: bad option: pieces: \"0\" is not a whole number from 1 to 9");
  EXPECT_EQ(failure({"--stop-time=2h"}),
            "argument --stop-time: bad option: stop_time: \"2h\" is not a duration such as "
            "500ms, 2s, 5min or 1h, from 0s to 1h");
  EXPECT_EQ(failure({"--page=yes"}), "argument --page: bad option: page: \"yes\" is not true or false");
  EXPECT_EQ(failure({"--port"}), "argument --port: its value is missing");
  EXPECT_EQ(failure({"--prot=1"}), "argument --prot: unknown option: prot: the nearest is port");
  EXPECT_EQ(failure({"--wokers=1"}), "argument --wokers: unknown option: wokers: the nearest is workers");
  EXPECT_EQ(failure({"else"}), "argument else: not expected here");
  set_variable("BIG_SHOP_PAGE", "1");
  EXPECT_EQ(failure({}), "environment variable BIG_SHOP_PAGE: bad option: page: \"1\" is not true or false");
}

TEST_F(HostOptions, FaultsOfTheFileNameLineAndColumn) {
  write("[big-shop]\nprot = 1\n");
  EXPECT_EQ(failure({config()}), file_.native() + ":2:1: unknown option: prot: the nearest is port");
  write("[big-shop]\nport = -1\n");
  EXPECT_EQ(failure({"--config", file_.native()}),
            file_.native() + ":2:8: bad option: port: \"-1\" is not a whole number from 0 to 65535");
  write("[big-shop]\nport = [1]\n");
  EXPECT_EQ(failure({config()}),
            file_.native() + ":2:8: bad option: port: a value of this type is not a whole number from 0 to 65535");
}

TEST_F(HostOptions, TablesThatNobodyReadsAreFaults) {
  write("[greenroom]\nworkers = 2\n[big_shop]\nport = 1\n");
  EXPECT_EQ(failure({config()}), file_.native() + ":3:2: unknown table: [big_shop]: the nearest is [big-shop]");
  write("[greenrom]\nworkers = 2\n");
  EXPECT_EQ(failure({config()}), file_.native() + ":1:2: unknown table: [greenrom]: the nearest is [greenroom]");
  write("port = 1\n");
  EXPECT_EQ(failure({config()}), file_.native() + ":1:1: port stands in no table: write it below [big-shop]");
  write("nonsense = [1]\n");
  EXPECT_EQ(failure({config()}),
            file_.native() + ":1:1: nonsense stands in no table: write it below [big-shop] or [greenroom]");
}

TEST_F(HostOptions, TablesOfTheProgramsOwnArePassedOver) {
  write("[prices]\ntea = 250\n[big-shop]\nport = 1\n");
  own_.pass_over("prices");
  EXPECT_EQ(failure({config()}), "no failure");
  EXPECT_EQ(port_, 1);
}

TEST_F(HostOptions, VariablesThatAreNoOptionsArePassedOver) {
  set_variable("BIG_SHOP_SERVICE_HOST", "10.0.0.1");
  EXPECT_EQ(failure({}), "no failure");
}

TEST_F(HostOptions, WhatIsLeftCanBeKept) {
  const auto loaded = load({"first", "--port=1", "--other", "--", "--port=2"}, other_arguments::keep);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->rest, (std::vector<std::string>{"first", "--other", "--", "--port=2"}));
  EXPECT_EQ(port_, 1);
}

TEST_F(HostOptions, HelpListsThoseOfTheSystemToo) {
  const auto loaded = load({"--help", "--unknown"});
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_TRUE(loaded->help);
  const auto text = own_.help();
  EXPECT_NE(
      text.find(
          "  --stop-time VALUE\n      time: a duration such as 500ms, 2s, 5min or 1h, from 0s to 1h (default 8s)\n"),
      text.npos)
      << text;
  EXPECT_NE(text.find("--book VALUE\n      file: a path (default none)\n"), text.npos) << text;
  EXPECT_NE(text.find("tables [big-shop] and [greenroom]"), text.npos) << text;
  EXPECT_NE(text.find("--step-budget"), text.npos) << text;
}

TEST_F(HostOptions, KeysThatAreTakenOrMalformedAreMistakes) {
  EXPECT_THROW(own_.add("port", host_, "again"), usage_error);
  EXPECT_THROW(own_.add("workers", host_, "of the system"), usage_error);
  EXPECT_THROW(own_.add("step_budget", host_, "of the system"), usage_error);
  EXPECT_THROW(own_.add("config", host_, "of load_all()"), usage_error);
  EXPECT_THROW(own_.add("Port", host_, "in capitals"), usage_error);
  EXPECT_THROW(own_.add("stop-time", host_, "with a hyphen"), usage_error);
}

} // namespace
} // namespace greenroom::host_options_test
