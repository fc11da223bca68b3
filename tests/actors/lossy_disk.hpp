// A file system for SQLite, in memory, that forgets at a crash what was not flushed: each such write is lost, or is there in part, or is there, as the seed says.
// It counts flushes, is full when asked, and fails a flush when asked. kill -9 alone would not show such losses: the system keeps what the process has written.
// Thread safety: any thread; one lock. Lifetime: registered with SQLite as long as it lives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <sqlite3.h>

namespace greenroom::test {

class lossy_disk {
public:
  explicit lossy_disk(unsigned seed = 1)
      : name_("lossy" + std::to_string(reinterpret_cast<std::uintptr_t>(this))), random_(seed) {
    auto* const real = sqlite3_vfs_find(nullptr);
    vfs_ = *real; // its clock, its sleep, its randomness
    vfs_.szOsFile = sizeof(open_file);
    vfs_.zName = name_.c_str();
    vfs_.pNext = nullptr;
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    vfs_.xAccess = access;
    vfs_.xFullPathname = full_name;
    sqlite3_vfs_register(&vfs_, 0);
  }
  lossy_disk(const lossy_disk&) = delete;
  lossy_disk& operator=(const lossy_disk&) = delete;
  ~lossy_disk() { sqlite3_vfs_unregister(&vfs_); }

  const std::string& name() const noexcept { return name_; }

  /// The power fails behind so many more calls that change something: from then on nothing works, until restore().
  void crash_after(int calls) {
    std::lock_guard guard(lock_);
    calls_left_ = calls;
  }
  bool crashed() {
    std::lock_guard guard(lock_);
    return calls_left_ == 0;
  }
  /// The power comes back: what was flushed is there, and some of the rest.
  void restore() {
    std::lock_guard guard(lock_);
    calls_left_ = -1;
    for (auto& [name, f] : files_) {
      auto content = f.flushed;
      for (const auto& w : f.pending) {
        const auto kept = random_() % 3; // none, a part, all
        const auto length = kept == 0 ? 0 : kept == 2 ? w.bytes.size() : random_() % (w.bytes.size() + 1);
        if (w.truncate && kept == 2) content.resize(w.at);
        if (length != 0) put(content, w.at, w.bytes.data(), length);
      }
      f.now = f.flushed = std::move(content);
      f.pending.clear();
    }
  }
  /// So many bytes may be in all files together.
  void limit_to(std::size_t bytes) {
    std::lock_guard guard(lock_);
    limit_ = bytes;
  }
  std::size_t size() {
    std::lock_guard guard(lock_);
    return size_now();
  }
  void fail_flushes(bool on) {
    std::lock_guard guard(lock_);
    flush_fails_ = on;
  }
  std::uint64_t flushes() {
    std::lock_guard guard(lock_);
    return flushes_;
  }
  std::uint64_t changes() {
    std::lock_guard guard(lock_);
    return changes_;
  }

private:
  struct pending_write {
    std::size_t at;
    std::vector<char> bytes;
    bool truncate = false;
  };
  struct stored {
    std::vector<char> now, flushed;
    std::vector<pending_write> pending;
  };
  struct open_file {
    sqlite3_file base;
    lossy_disk* disk;
    stored* file;
  };

  static void put(std::vector<char>& to, std::size_t at, const char* bytes, std::size_t length) {
    if (to.size() < at + length) to.resize(at + length);
    std::copy_n(bytes, length, to.begin() + static_cast<std::ptrdiff_t>(at));
  }
  std::size_t size_now() const {
    std::size_t all = 0;
    for (const auto& [name, f] : files_) all += f.now.size();
    return all;
  }
  bool dead() const noexcept { return calls_left_ == 0; }
  /// Counts a call that changes something; false if the power has failed.
  bool alive() {
    if (dead()) return false;
    if (calls_left_ > 0) --calls_left_;
    ++changes_;
    return true;
  }
  static lossy_disk& of(sqlite3_vfs* v) { return *static_cast<lossy_disk*>(v->pAppData); }
  static open_file& of(sqlite3_file* f) { return *reinterpret_cast<open_file*>(f); }

  static int open(sqlite3_vfs* v, const char* name, sqlite3_file* made, int flags, int* out) {
    auto& disk = of(v);
    std::lock_guard guard(disk.lock_);
    auto& f = of(made);
    f.base.pMethods = nullptr;
    if (disk.dead()) return SQLITE_CANTOPEN;
    f.disk = &disk;
    f.file = &disk.files_[name == nullptr ? "temporary" : name];
    f.base.pMethods = &methods();
    if (out != nullptr) *out = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* v, const char* name, int) {
    auto& disk = of(v);
    std::lock_guard guard(disk.lock_);
    if (!disk.alive()) return SQLITE_IOERR_DELETE;
    const auto found = disk.files_.find(name);
    if (found == disk.files_.end()) return SQLITE_IOERR_DELETE_NOENT;
    disk.files_.erase(found);
    return SQLITE_OK;
  }
  static int access(sqlite3_vfs* v, const char* name, int, int* found) {
    auto& disk = of(v);
    std::lock_guard guard(disk.lock_);
    const auto at = disk.files_.find(name);
    *found = at != disk.files_.end() && !at->second.now.empty();
    return SQLITE_OK;
  }
  static int full_name(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }

  static int read(sqlite3_file* at, void* to, int length, sqlite3_int64 from) {
    auto& f = of(at);
    std::lock_guard guard(f.disk->lock_);
    if (f.disk->dead()) return SQLITE_IOERR_READ;
    const auto& content = f.file->now;
    const auto begin = std::min(static_cast<std::size_t>(from), content.size());
    const auto there = std::min(static_cast<std::size_t>(length), content.size() - begin);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(begin), there, static_cast<char*>(to));
    if (there == static_cast<std::size_t>(length)) return SQLITE_OK;
    std::memset(static_cast<char*>(to) + there, 0, static_cast<std::size_t>(length) - there);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* at, const void* from, int length, sqlite3_int64 to) {
    auto& f = of(at);
    std::lock_guard guard(f.disk->lock_);
    if (!f.disk->alive()) return SQLITE_IOERR_WRITE;
    const auto* const bytes = static_cast<const char*>(from);
    const auto start = static_cast<std::size_t>(to), size = static_cast<std::size_t>(length);
    const auto grows = start + size > f.file->now.size() ? start + size - f.file->now.size() : 0;
    if (f.disk->size_now() + grows > f.disk->limit_) return SQLITE_FULL;
    put(f.file->now, start, bytes, size);
    f.file->pending.push_back({start, std::vector<char>(bytes, bytes + size)});
    return SQLITE_OK;
  }
  static int truncate(sqlite3_file* at, sqlite3_int64 size) {
    auto& f = of(at);
    std::lock_guard guard(f.disk->lock_);
    if (!f.disk->alive()) return SQLITE_IOERR_TRUNCATE;
    f.file->now.resize(static_cast<std::size_t>(size));
    f.file->pending.push_back({static_cast<std::size_t>(size), {}, true});
    return SQLITE_OK;
  }
  static int sync(sqlite3_file* at, int) {
    auto& f = of(at);
    std::lock_guard guard(f.disk->lock_);
    if (!f.disk->alive() || f.disk->flush_fails_) return SQLITE_IOERR_FSYNC;
    f.file->flushed = f.file->now;
    f.file->pending.clear();
    ++f.disk->flushes_;
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* at, sqlite3_int64* size) {
    auto& f = of(at);
    std::lock_guard guard(f.disk->lock_);
    *size = static_cast<sqlite3_int64>(f.file->now.size());
    return SQLITE_OK;
  }
  static const sqlite3_io_methods& methods() {
    static constexpr sqlite3_io_methods all = {
        1,
        [](sqlite3_file*) { return SQLITE_OK; },
        read,
        write,
        truncate,
        sync,
        file_size,
        [](sqlite3_file*, int) { return SQLITE_OK; }, // one process, one connection: nobody to lock out
        [](sqlite3_file*, int) { return SQLITE_OK; },
        [](sqlite3_file*, int* held) { return *held = 0, SQLITE_OK; },
        [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; },
        [](sqlite3_file*) { return 512; },
        [](sqlite3_file*) { return 0; },
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        nullptr,
    };
    return all;
  }

  const std::string name_;
  sqlite3_vfs vfs_{};
  std::mutex lock_;
  // Guarded by lock_.
  std::map<std::string, stored> files_;
  std::mt19937 random_;
  int calls_left_ = -1; // 0: the power has failed; below: it will not
  std::size_t limit_ = static_cast<std::size_t>(-1);
  bool flush_fails_ = false;
  std::uint64_t flushes_ = 0;
  std::uint64_t changes_ = 0;
};

} // namespace greenroom::test
