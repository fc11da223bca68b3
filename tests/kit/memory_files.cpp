#include <greenroom/testkit/memory_files.hpp>

#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::testkit {
namespace {

using std::filesystem::path;

/// One file. Whoever has it open keeps it, also when its name is gone.
struct content {
  std::string bytes;
  std::size_t synced = 0; // so many of them survive a power cut
};

error failure(errc code, std::string_view what, const path& on, std::string_view why) {
  return {code, fmt::format("{}: {}: {}", what, on.native(), why)};
}
error not_found(std::string_view what, const path& on) {
  return failure(errc::not_found, what, on, "No such file or directory");
}

} // namespace

/// The bytes, and who wants to fail. Shared with open files, so that these may be destroyed late.
class memory_files::device {
public:
  /// Says whether the call is to fail. Without the lock: it may cut the power.
  bool fails(disk_call call, const path& at) {
    std::function<bool(disk_call, const path&)> asked;
    {
      std::lock_guard guard(mutex);
      asked = trouble;
    }
    return asked && asked(call, at);
  }

  /// Has all that happened to names in this folder survive.
  void sync_folder_locked(const path& of) {
    std::erase_if(removed,
                  [folder = of.parent_path()](const auto& each) { return each.first.parent_path() == folder; });
  }

  /// `random` null: the worst case.
  void cut_power(random_source* random) {
    std::lock_guard guard(mutex);
    ++power_cuts;
    for (auto& [name, lost] : removed) {
      if (random != nullptr && random_below(*random, 2) == 0) named.try_emplace(name, std::move(lost));
    }
    removed.clear();
    for (auto& [name, each] : named) {
      const auto at_risk = each->bytes.size() - each->synced;
      each->bytes.resize(each->synced + (random == nullptr ? 0 : random_below(*random, at_risk + 1)));
      each->synced = each->bytes.size();
    }
  }

  std::mutex mutex;
  std::map<path, std::shared_ptr<content>> named;   // guarded by mutex, as is all that follows
  std::map<path, std::shared_ptr<content>> removed; // what a power cut may bring back
  std::uint64_t power_cuts = 0;
  std::function<bool(disk_call, const path&)> trouble;
};

namespace {

template <class Device>
class memory_append_file final : public append_file {
public:
  memory_append_file(std::shared_ptr<Device> in, path at, std::shared_ptr<content> file, std::uint64_t power_cuts)
      : device_(std::move(in)), at_(std::move(at)), file_(std::move(file)), power_cuts_(power_cuts) {}

  result<void> write(std::string_view bytes) override {
    const bool fails = device_->fails(disk_call::write, at_);
    std::lock_guard guard(device_->mutex);
    if (auto usable = check_locked("cannot append"); !usable) return usable;
    file_->bytes += bytes.substr(0, fails ? bytes.size() / 2 : bytes.size());
    return fails ? break_off_locked("cannot append") : result<void>();
  }

  result<void> sync() override {
    const bool fails = device_->fails(disk_call::sync, at_);
    std::lock_guard guard(device_->mutex);
    if (auto usable = check_locked("cannot sync"); !usable) return usable;
    if (fails) return break_off_locked("cannot sync");
    file_->synced = file_->bytes.size();
    return {};
  }

private:
  result<void> check_locked(const char* what) const {
    if (power_cuts_ != device_->power_cuts) {
      return failure(errc::io, what, at_, "the disk has lost its power since: open the file again");
    }
    if (broken_) return failure(errc::io, what, at_, "an earlier write or sync failed: open the file again");
    return {};
  }
  result<void> break_off_locked(const char* what) {
    broken_ = true;
    return failure(errc::io, what, at_, "Input/output error");
  }

  const std::shared_ptr<Device> device_;
  const path at_;
  const std::shared_ptr<content> file_;
  const std::uint64_t power_cuts_; // that there were when it was opened
  bool broken_ = false;            // never goes back to false
};

} // namespace

memory_files::memory_files() : device_(std::make_shared<device>()) {}
memory_files::~memory_files() = default;

result<std::string> memory_files::read_all(const path& at) {
  const bool fails = device_->fails(disk_call::read, at);
  std::lock_guard guard(device_->mutex);
  if (fails) return failure(errc::io, "cannot read", at, "Input/output error");
  const auto found = device_->named.find(at);
  if (found == device_->named.end()) return not_found("cannot open", at);
  return found->second->bytes;
}

result<void> memory_files::write_atomically(const path& at, std::string_view bytes) {
  const bool fails = device_->fails(disk_call::write, at);
  std::lock_guard guard(device_->mutex);
  if (fails) return failure(errc::io, "cannot write temporary file", at, "Input/output error");
  device_->named[at] =
      std::make_shared<content>(content{std::string(bytes), bytes.size()}); // who has the old one open keeps it
  device_->sync_folder_locked(at);
  return {};
}

result<std::unique_ptr<append_file>> memory_files::open_append(const path& at) {
  const bool fails = device_->fails(disk_call::sync, at);
  std::lock_guard guard(device_->mutex);
  if (fails) return failure(errc::io, "cannot open for appending", at, "Input/output error");
  auto& file = device_->named[at];
  if (!file) file = std::make_shared<content>();
  device_->sync_folder_locked(at);
  return std::make_unique<memory_append_file<device>>(device_, at, file, device_->power_cuts);
}

result<bool> memory_files::exists(const path& at) {
  const bool fails = device_->fails(disk_call::read, at);
  std::lock_guard guard(device_->mutex);
  if (fails) return failure(errc::io, "cannot look for", at, "Input/output error");
  return device_->named.contains(at);
}

result<void> memory_files::remove(const path& at) {
  const bool fails = device_->fails(disk_call::write, at);
  std::lock_guard guard(device_->mutex);
  if (fails) return failure(errc::io, "cannot remove", at, "Input/output error");
  const auto found = device_->named.find(at);
  if (found == device_->named.end()) return not_found("cannot remove", at);
  device_->removed[at] = std::move(found->second);
  device_->named.erase(found);
  return {};
}

void memory_files::cut_power() { device_->cut_power(nullptr); }
void memory_files::cut_power(random_source& random) { device_->cut_power(&random); }

void memory_files::clear() {
  std::lock_guard guard(device_->mutex);
  ++device_->power_cuts;
  device_->named.clear();
  device_->removed.clear();
}

void memory_files::fail_when(std::function<bool(disk_call, const path&)> fails) {
  std::lock_guard guard(device_->mutex);
  device_->trouble = std::move(fails);
}

memory_files& disk_here() {
  auto* const found = dynamic_cast<memory_files*>(&this_actor::system().disk());
  if (found == nullptr) throw usage_error("disk_here: the disk of this actor's system is no memory_files");
  return *found;
}

} // namespace greenroom::testkit
