#include <greenroom/runtime/options.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <stdlib.h>

#include <gtest/gtest.h>

#include <greenroom/runtime/files.hpp>

namespace greenroom::options_test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string failure_of(const result<void>& done) { return done ? "no failure" : std::string{done.error().message()}; }
template <class T>
std::string failure_of(const result<T>& loaded) {
  return loaded ? "no failure" : std::string{loaded.error().message()};
}
std::string failure_of_set(std::string_view key, std::string_view value) {
  options target;
  return failure_of(set(target, key, value));
}

result<parsed_arguments> parse(std::vector<const char*> arguments, other_arguments others = other_arguments::keep) {
  arguments.insert(arguments.begin(), "program");
  return load_arguments(options{}, static_cast<int>(arguments.size()), arguments.data(), others);
}

/// An environment variable for the time of a test.
class variable {
public:
  variable(const char* name, const char* value) : name_{name} { ::setenv(name, value, 1); }
  ~variable() { ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  const char* name_;
};

TEST(Options, DefaultsAreAllowed) {
  const options defaults;
  EXPECT_EQ(failure_of(defaults.check()), "no failure");
  EXPECT_EQ(defaults.workers, default_workers());
  EXPECT_GE(default_workers(), 1u);
  EXPECT_LE(default_workers(), 1024u);
}

TEST(Options, FieldsCanBeNamed) {
  const options two{.workers = 2, .stop_limit = 1s};
  EXPECT_EQ(two.workers, 2u);
  EXPECT_EQ(two.step_budget, 128u);
}

TEST(Options, CheckNamesOptionValueAndRange) {
  EXPECT_EQ(failure_of(options{.workers = 0}.check()),
            "bad option: workers: \"0\" is not a whole number from 1 to 1024");
  EXPECT_EQ(failure_of(options{.workers = 1025}.check()),
            "bad option: workers: \"1025\" is not a whole number from 1 to 1024");
  EXPECT_EQ(failure_of(options{.step_budget = 0}.check()),
            "bad option: step_budget: \"0\" is not a whole number from 1 to 1000000");
  EXPECT_EQ(failure_of(options{.stop_limit = -5ms}.check()),
            "bad option: stop_limit: \"-5ms\" is not a duration such as 500ms, 2s, 5min or 1h");
  EXPECT_EQ(failure_of(options{.blocking_idle = -1h}.check()),
            "bad option: blocking_idle: \"-1h\" is not a duration such as 500ms, 2s, 5min or 1h");
  EXPECT_EQ(failure_of(options{.log_level = "loud"}.check()),
            "bad option: log_level: \"loud\" is not one of trace, debug, info, warn, error, off");
  EXPECT_EQ(failure_of(options{.name = ""}.check()), "bad option: name: \"\" is not a text of 1 to 64 characters");
  EXPECT_FALSE(options{.blocking_threads = 0}.check());
}

TEST(Options, CheckAllowsTheEndsOfEachRange) {
  EXPECT_TRUE((options{.workers = 1, .step_budget = 1, .stop_limit = 0ms, .blocking_threads = 1}.check()));
  EXPECT_TRUE(
      (options{.workers = 1024, .stop_limit = std::chrono::milliseconds::max(), .seed = ~std::uint64_t{0}}.check()));
}

TEST(OptionsSet, ReadsEveryKind) {
  options target;
  ASSERT_TRUE(set(target, "name", "shop"));
  ASSERT_TRUE(set(target, "workers", "7"));
  ASSERT_TRUE(set(target, "stop_limit", "500ms"));
  ASSERT_TRUE(set(target, "log_level", "off"));
  ASSERT_TRUE(set(target, "seed", "18446744073709551615"));
  EXPECT_EQ(target.name, "shop");
  EXPECT_EQ(target.workers, 7u);
  EXPECT_EQ(target.stop_limit, 500ms);
  EXPECT_EQ(target.log_level, "off");
  EXPECT_EQ(target.seed, ~std::uint64_t{0});
}

TEST(OptionsSet, ReadsEveryUnitOfTime) {
  const std::vector<std::pair<const char*, std::chrono::milliseconds>> cases{
      {"0ms", 0ms}, {"250ms", 250ms}, {"2s", 2s}, {"5min", 5min}, {"1h", 1h}};
  for (const auto& [text, expected] : cases) {
    options target;
    ASSERT_TRUE(set(target, "blocking_idle", text)) << text;
    EXPECT_EQ(target.blocking_idle, expected) << text;
  }
}

TEST(OptionsSet, UnknownKeysAreAnsweredWithTheNearest) {
  EXPECT_EQ(failure_of_set("wokers", "1"), "unknown option: wokers: the nearest is workers");
  EXPECT_EQ(failure_of_set("stoplimit", "1s"), "unknown option: stoplimit: the nearest is stop_limit");
  EXPECT_EQ(failure_of_set("", "1"), "unknown option: : the nearest is name");
}

TEST(OptionsSet, BadValuesNameTheExpectedFormAndChangeNothing) {
  options target{.workers = 3};
  for (const char* value : {"", "0", "1025", "-1", "+1", "2.5", " 2", "2 ", "0x2", "many", "99999999999999999999"}) {
    const auto done = set(target, "workers", value);
    ASSERT_FALSE(done) << value;
    EXPECT_TRUE(done.error().is(errc::invalid_argument));
    EXPECT_EQ(done.error().message(),
              "bad option: workers: \"" + std::string{value} + "\" is not a whole number from 1 to 1024");
  }
  EXPECT_EQ(target.workers, 3u);
}

TEST(OptionsSet, DurationsNeedAUnitAndMustFit) {
  for (const char* value : {"", "5", "s", "1.5s", "-1s", "2 s", "2m", "2us", "9223372036854775807h", "1s1s"}) {
    EXPECT_EQ(failure_of_set("stop_limit", value),
              "bad option: stop_limit: \"" + std::string{value} + "\" is not a duration such as 500ms, 2s, 5min or 1h");
  }
}

class OptionsFile : public testing::Test {
protected:
  OptionsFile() {
    std::string pattern = (fs::temp_directory_path() / "greenroom_options_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder: " << pattern;
    folder_ = pattern;
    file_ = folder_ / "shop.toml";
  }
  ~OptionsFile() override { fs::remove_all(folder_); }

  void SetUp() override {
    write("");
    const auto probe = load_file(options{}, file_);
    if (probe) return;
    EXPECT_TRUE(probe.error().is(errc::unsupported)) << probe.error().message();
    GTEST_SKIP() << probe.error().message();
  }

  void write(std::string_view content) { ASSERT_TRUE(real_files().write_atomically(file_, content)); }
  std::string failure() const { return failure_of(load_file(options{}, file_)); }
  std::string at(const char* position) const { return file_.string() + position; }

  fs::path folder_;
  fs::path file_;
};

TEST_F(OptionsFile, OverlaysItsTableAndLeavesTheRest) {
  write("top = 1\n[greenroom]\nworkers = 3\nstop_limit = \"2s\"\nseed = "
        "\"18446744073709551615\"\n[host]\nworkers = \"x\"\n");
  const auto loaded = load_file(options{.step_budget = 9}, file_);
  ASSERT_TRUE(loaded) << failure_of(loaded);
  EXPECT_EQ(loaded->workers, 3u);
  EXPECT_EQ(loaded->stop_limit, 2s);
  EXPECT_EQ(loaded->seed, ~std::uint64_t{0});
  EXPECT_EQ(loaded->step_budget, 9u);
}

TEST_F(OptionsFile, WithoutTheTableGivesTheBase) {
  write("[host]\nport = 1\n");
  EXPECT_EQ(load_file(options{.workers = 5}, file_).value().workers, 5u);
}

TEST_F(OptionsFile, FaultsNameLineAndColumn) {
  write("[greenroom]\nworkers = \"many\"\n");
  EXPECT_EQ(failure(), at(":2:11: bad option: workers: \"many\" is not a whole number from 1 to 1024"));
  write("[greenroom]\n\n  wokers = 2\n");
  EXPECT_EQ(failure(), at(":3:3: unknown option: wokers: the nearest is workers"));
  write("[greenroom]\nworkers = true\n");
  EXPECT_EQ(failure(), at(":2:11: bad option: workers: \"true\" is not a whole number from 1 to 1024"));
  write("[greenroom]\nworkers = 1.5\n");
  EXPECT_EQ(failure(), at(":2:11: bad option: workers: a value of this type is not a whole number from 1 to 1024"));
  write("[greenroom]\nstop_limit = 5\n");
  EXPECT_EQ(failure(), at(":2:14: bad option: stop_limit: \"5\" is not a duration such as 500ms, 2s, 5min or 1h"));
  write("greenroom = 1\n");
  EXPECT_EQ(failure(), at(":1:13: greenroom is not a table: write [greenroom]"));
}

TEST_F(OptionsFile, MalformedTextIsAParseErrorWithItsPlace) {
  write("[greenroom]\nworkers = \n");
  const auto loaded = load_file(options{}, file_);
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().is(errc::parse));
  EXPECT_TRUE(loaded.error().message().starts_with(at(":2:"))) << loaded.error().message();
}

TEST_F(OptionsFile, MissingFilesAreNotFound) {
  const auto loaded = load_file(options{}, folder_ / "none");
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().is(errc::not_found));
  EXPECT_EQ(loaded.error().message(),
            "cannot load options: cannot open: " + (folder_ / "none").string() + ": No such file or directory");
}

TEST_F(OptionsFile, CommandLineWinsOverEnvironmentOverFileOverCode) {
  write("[greenroom]\nname = \"file\"\nworkers = 2\nstep_budget = 2\n");
  const variable workers{"GREENROOM_WORKERS", "3"};
  const variable budget{"GREENROOM_STEP_BUDGET", "3"};
  const std::string config = "--config=" + file_.string();
  const std::vector<const char*> arguments{"program", "--workers", "4", config.c_str(), "host"};
  const auto loaded = load_all(options{.name = "code", .workers = 1, .step_budget = 1, .seed = 1},
                               static_cast<int>(arguments.size()), arguments.data());
  ASSERT_TRUE(loaded) << failure_of(loaded);
  EXPECT_EQ(loaded->values.workers, 4u);
  EXPECT_EQ(loaded->values.step_budget, 3u);
  EXPECT_EQ(loaded->values.name, "file");
  EXPECT_EQ(loaded->values.seed, 1u);
  EXPECT_EQ(loaded->rest, std::vector<std::string>{"host"});
}

TEST_F(OptionsFile, LoadAllFailsWithTheFile) {
  const std::vector<const char*> arguments{"program", "--config", "/nonexistent.toml"};
  EXPECT_EQ(failure_of(load_all(options{}, 3, arguments.data())),
            "cannot load options: cannot open: /nonexistent.toml: No such file or directory");
}

TEST(OptionsEnvironment, OverlaysWhatHasThePrefix) {
  const variable workers{"OPTIONS_TEST_WORKERS", "3"};
  const variable limit{"OPTIONS_TEST_STOP_LIMIT", "1min"};
  const variable other{"OTHER_OPTIONS_TEST_WORKERS", "x"};
  const auto loaded = load_environment(options{.step_budget = 9}, "OPTIONS_TEST_");
  ASSERT_TRUE(loaded) << failure_of(loaded);
  EXPECT_EQ(loaded->workers, 3u);
  EXPECT_EQ(loaded->stop_limit, 1min);
  EXPECT_EQ(loaded->step_budget, 9u);
}

TEST(OptionsEnvironment, UnknownVariablesAreErrors) {
  const variable wrong{"OPTIONS_TEST_WOKERS", "3"};
  EXPECT_EQ(failure_of(load_environment(options{}, "OPTIONS_TEST_")),
            "environment variable OPTIONS_TEST_WOKERS: unknown option: wokers: the nearest is workers");
}

TEST(OptionsEnvironment, BadValuesNameTheVariable) {
  const variable bad{"OPTIONS_TEST_SEED", "x"};
  EXPECT_EQ(failure_of(load_environment(options{}, "OPTIONS_TEST_")),
            "environment variable OPTIONS_TEST_SEED: bad option: seed: \"x\" is not a whole number "
            "from 0 to "
            "18446744073709551615");
}

TEST(OptionsArguments, TakesBothFormsAndBothSpellings) {
  const auto parsed = parse({"--workers", "2", "--step-budget=7", "--stop_limit", "1s"});
  ASSERT_TRUE(parsed) << failure_of(parsed);
  EXPECT_EQ(parsed->values.workers, 2u);
  EXPECT_EQ(parsed->values.step_budget, 7u);
  EXPECT_EQ(parsed->values.stop_limit, 1s);
  EXPECT_TRUE(parsed->rest.empty());
  EXPECT_FALSE(parsed->help);
}

TEST(OptionsArguments, LeavesTheHostItsOwnInOrder) {
  const auto parsed = parse({"a", "--port", "80", "--workers=2", "-v", "--config=x", "--", "--workers", "3"});
  ASSERT_TRUE(parsed) << failure_of(parsed);
  EXPECT_EQ(parsed->values.workers, 2u);
  EXPECT_EQ(parsed->rest, (std::vector<std::string>{"a", "--port", "80", "-v", "--config=x", "--", "--workers", "3"}));
}

TEST(OptionsArguments, LastOfSeveralWinsAndValuesMayHoldEqualSigns) {
  const auto parsed = parse({"--name", "a", "--name=b=c"});
  ASSERT_TRUE(parsed) << failure_of(parsed);
  EXPECT_EQ(parsed->values.name, "b=c");
}

TEST(OptionsArguments, RefusesWhatIsNotOursWhenAsked) {
  EXPECT_EQ(failure_of(parse({"--wokers=2"}, other_arguments::refuse)),
            "argument --wokers=2: unknown option: wokers: the nearest is workers");
  EXPECT_EQ(failure_of(parse({"file"}, other_arguments::refuse)), "argument file: not expected here");
  const auto parsed = parse({"--workers=2", "--", "file"}, other_arguments::refuse);
  ASSERT_TRUE(parsed) << failure_of(parsed);
  EXPECT_EQ(parsed->rest, (std::vector<std::string>{"--", "file"}));
}

TEST(OptionsArguments, FaultsNameTheArgument) {
  EXPECT_EQ(failure_of(parse({"--workers"})), "argument --workers: its value is missing");
  EXPECT_EQ(failure_of(parse({"--step-budget", "--"})),
            "argument --step-budget: bad option: step_budget: \"--\" is not a whole number from 1 "
            "to 1000000");
}

TEST(OptionsArguments, OddArgumentsAreTheHosts) {
  const auto parsed = parse({"", "-", "--=", "-workers=2"});
  ASSERT_TRUE(parsed) << failure_of(parsed);
  EXPECT_EQ(parsed->rest, (std::vector<std::string>{"", "-", "--=", "-workers=2"}));
  EXPECT_TRUE(load_arguments(options{}, 0, nullptr));
}

TEST(OptionsArguments, HelpIsReportedNotLeft) {
  const auto parsed = parse({"--help", "x"});
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->help);
  EXPECT_EQ(parsed->rest, std::vector<std::string>{"x"});
}

TEST(OptionsHelp, ListsEachOptionWithFormAndDefault) {
  const std::string text = options_help();
  EXPECT_NE(text.find("  --step-budget VALUE\n      turns an actor may take in one go: a whole "
                      "number from 1 to 1000000 "
                      "(default 128)\n"),
            std::string::npos)
      << text;
  for (const char* part :
       {"--name", "--workers", "(default 5s)", "--blocking-threads", "(default 10s)", "--log-level", "--seed"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

} // namespace
} // namespace greenroom::options_test
