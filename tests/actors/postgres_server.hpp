// A PostgreSQL server that a test starts for itself, in a folder of its own, behind a Unix socket: no port, no other user's data. It ends with the test, also by its
// crash (the kernel tells it). As root it is run as the user postgres, since it refuses to run as root.
// Thread safety: one thread. Lifetime: stops the server and removes its folder.
#pragma once

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace greenroom::test {

class postgres_server {
public:
  /// Returns the one of this process, which is started by the first call; null, if there is none: see why_not().
  static postgres_server* shared() {
    static const std::unique_ptr<postgres_server> one = made();
    return one.get();
  }
  static const std::string& why_not() { return reason(); }

  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;
  ~postgres_server() {
    stop(SIGQUIT);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string connection() const { return "host=" + folder_ + " user=postgres dbname=postgres"; }
  std::string new_schema() const {
    static int made = 0;
    return "journal_" + std::to_string(++made);
  }

  /// Starts it, and returns once it takes connections.
  bool start() {
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) return false;
    pid_ = spawn({"postgres", "-D", folder_ + "/data", "-k", folder_, "-c", "listen_addresses=", "-c",
                  "log_min_messages=log", "-c", "logging_collector=off", "-c", "max_connections=20"},
                 out[1]);
    ::close(out[1]);
    log_ = out[0];
    return pid_ > 0 && log_until("ready to accept connections");
  }
  /// Ends it by a signal: SIGQUIT is PostgreSQL's immediate stop. Returns once all its processes are gone.
  void stop(int signal) {
    if (pid_ <= 0) return;
    if (signal == SIGKILL) { // its children too, the ones that write
      ::kill(pid_, SIGSTOP);
      for (const auto child : children()) ::kill(child, SIGKILL);
    }
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    (void)log_until({}); // all of them have it open
    ::close(log_);
  }

  /// Does something to it by psql; gives what that printed.
  std::string sql(const std::string& text) const {
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) return "no pipe";
    const auto pid = spawn({"psql", "-X", "-q", "-A", "-t", "-d", connection(), "-c", text}, out[1]);
    ::close(out[1]);
    std::string printed;
    std::array<char, 512> part;
    for (ssize_t n = 0; (n = ::read(out[0], part.data(), part.size())) > 0;)
      printed.append(part.data(), static_cast<std::size_t>(n));
    ::close(out[0]);
    ::waitpid(pid, nullptr, 0);
    while (!printed.empty() && printed.back() == '\n') printed.pop_back();
    return printed;
  }
  /// Returns the process of the server that serves the journal in `schema`.
  pid_t serves(const std::string& schema) const {
    const auto key = "hashtextextended('greenroom journal " + schema + "', 0)";
    const auto pid =
        sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | "
            "objid::bigint) = " +
            key);
    return pid.empty() ? 0 : static_cast<pid_t>(std::stol(pid));
  }
  void cut(const std::string& schema) const {
    sql("SELECT pg_terminate_backend(" + std::to_string(serves(schema)) + ", 10000)");
  }

private:
  postgres_server() = default;

  static std::string& reason() {
    static std::string why;
    return why;
  }

  static std::unique_ptr<postgres_server> made() {
    std::unique_ptr<postgres_server> s(new postgres_server);
    s->bin_ = found();
    reason() = "PostgreSQL's server is not installed (package postgresql): nothing to test against";
    if (s->bin_.empty()) return nullptr;
    reason() = "there is no user 'postgres' to run the server as, which refuses to run as root";
    const auto* const user = ::getpwnam("postgres");
    if (::geteuid() == 0 && user == nullptr) return nullptr;
    reason() = "the server did not start";
    auto name = (std::filesystem::temp_directory_path() / "greenroom_pg_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return nullptr;
    s->folder_ = name;
    if (::geteuid() == 0 && ::chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) return nullptr;
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    const auto initialized = s->spawn(
        {"initdb", "-D", name + "/data", "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"},
        nowhere);
    ::close(nowhere);
    int status = -1;
    if (initialized <= 0 || ::waitpid(initialized, &status, 0) != initialized || status != 0) return nullptr;
    return s->start() ? std::move(s) : nullptr;
  }

  /// Debian has the server's programs apart from others, by version.
  static std::string found() {
    std::string newest;
    std::error_code ignored;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
      const auto bin = version.path() / "bin";
      if (std::filesystem::exists(bin / "initdb") && std::filesystem::exists(bin / "postgres"))
        newest = std::max(newest, bin.string());
    }
    return newest;
  }

  /// Runs one of the programs, as another user if this is root, with its output into `out`.
  pid_t spawn(std::vector<std::string> command, int out) const {
    command[0] = bin_ + "/" + command[0];
    std::vector<std::string> words{"setpriv", "--pdeathsig", "QUIT"};
    if (::geteuid() == 0) words.insert(words.end(), {"--reuid=postgres", "--regid=postgres", "--clear-groups"});
    words.push_back("--");
    words.insert(words.end(), command.begin(), command.end());
    std::vector<char*> all;
    for (auto& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, out, 1);
    ::posix_spawn_file_actions_adddup2(&files, out, 2);
    ::posix_spawn_file_actions_addchdir_np(&files, "/");
    pid_t pid = -1;
    if (::posix_spawnp(&pid, "setpriv", &files, nullptr, all.data(), environ) != 0) pid = -1;
    ::posix_spawn_file_actions_destroy(&files);
    return pid;
  }

  std::vector<pid_t> children() const {
    std::ifstream list("/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children");
    std::vector<pid_t> all;
    for (pid_t child = 0; list >> child;) all.push_back(child);
    return all;
  }

  /// Reads the server's log up to a line with `text`, or to its end, when the last process has ended. Returns whether it came.
  bool log_until(const std::string& text) {
    std::string read;
    std::array<char, 512> part;
    for (ssize_t n = 0; (n = ::read(log_, part.data(), part.size())) > 0;) {
      read.append(part.data(), static_cast<std::size_t>(n));
      if (!text.empty() && read.find(text) != std::string::npos) return true;
    }
    reason() = "the server did not start: " + read;
    return false;
  }

  std::string bin_;
  std::string folder_;
  pid_t pid_ = -1;
  int log_ = -1;
};

/// Calls the function on so many threads, as nearly at the same time as can be, and waits for all.
template <class F>
void at_once(int times, F each) {
  std::latch together(times);
  std::vector<std::jthread> threads;
  for (int i = 0; i < times; ++i) {
    threads.emplace_back([&together, &each] {
      together.arrive_and_wait();
      each();
    });
  }
}

} // namespace greenroom::test
