#!/usr/bin/env python3
"""Tests of `greenroom doctor`, each row on files of a kernel that the test makes: tests/tools/doctor_command_test.py COMMAND"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMMAND = Path(sys.argv[1]).resolve()
LIMIT = 60  # seconds, for a hang

LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max core file size        {core:<20} unlimited            bytes
Max open files            {soft:<20} {hard:<20} files
"""

# A machine with which nothing is wrong.
WELL = {
    "proc/self/limits": LIMITS.format(core="unlimited", soft="65536", hard="1048576"),
    "proc/self/status": "Name:\tgreenroom\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\n",
    "proc/self/cgroup": "0::/shop\n",
    "sys/fs/cgroup/shop/cpu.max": "max 100000\n",
    "sys/fs/cgroup/shop/cpu.stat": "usage_usec 1\nnr_periods 1000\nnr_throttled 10\n",
    "sys/fs/cgroup/shop/memory.max": "max\n",
    "sys/fs/cgroup/shop/memory.events": "low 0\noom 0\noom_kill 0\n",
    "proc/meminfo": "MemTotal:       16777216 kB\nMemFree:        1 kB\n",
    "proc/sys/kernel/core_pattern": "|/usr/lib/systemd/systemd-coredump %P\n",
    "proc/sys/kernel/osrelease": "6.1.0-9-amd64\n",
    "proc/sys/kernel/random/entropy_avail": "256\n",
    "proc/sys/net/core/somaxconn": "4096\n",
    "proc/sys/net/ipv4/tcp_max_syn_backlog": "1024\n",
    "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "proc/sys/net/ipv4/tcp_tw_reuse": "2\n",
    "proc/sys/vm/overcommit_memory": "0\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "usr/share/zoneinfo/UTC": "",
}

# Rows that the tree does not decide: what this Greenroom was built with.
OF_BUILD = ("greenroom", "CAF", "OpenSSL", "toml++", "SQLite", "PostgreSQL client", "time zones", "zlib", "nlohmann-json", "environment")


class Doctor(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}

    def call(self, changed, *arguments):
        for path, text in {**WELL, **changed}.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            if text is not None:
                file.write_text(text)
        return subprocess.run([COMMAND, "doctor", "--root", self.root, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=LIMIT, check=False, env=self.environment)

    def rows(self, changed, code=0):
        done = self.call(changed, "--json")
        self.assertEqual((done.returncode, done.stderr), (code, ""))
        report = json.loads(done.stdout)
        levels = [row["level"] for row in report["findings"]]
        self.assertEqual((report["warnings"], report["notes"]), (levels.count("warning"), levels.count("note")))
        return {row["name"]: row for row in report["findings"]}

    def expect(self, name, level, value, changed):
        """The row is of that level and value, and no other of the tree is worse than ok."""
        rows = self.rows(changed, code=1 if level == "warning" else 0)
        self.assertEqual((rows[name]["level"], rows[name]["value"]), (level, value))
        self.assertTrue(rows[name]["why"].endswith("."))
        others = {n: row for n, row in rows.items() if n not in OF_BUILD and n != name}
        self.assertEqual({row["level"] for row in others.values()}, {"ok"}, others)
        return rows[name]

    def test_a_machine_with_which_nothing_is_wrong_is_fine(self):
        rows = self.rows({})
        self.assertEqual({row["level"] for name, row in rows.items() if name not in OF_BUILD}, {"ok"})
        self.assertEqual(rows["open files"]["value"], "65536, at most 1048576")
        self.assertEqual(rows["processors"]["value"], "4")
        self.assertEqual(rows["kernel"]["value"], "6.1.0-9-amd64")
        self.assertEqual(set(OF_BUILD) - set(rows), set())

    def test_open_files(self):
        def limits(soft, hard):
            return {"proc/self/limits": LIMITS.format(core="unlimited", soft=soft, hard=hard)}
        row = self.expect("open files", "warning", "1024, at most 1048576", limits("1024", "1048576"))
        self.assertIn("ulimit -n 65536", row["change"])
        row = self.expect("open files", "warning", "1024, at most 4096", limits("1024", "4096"))
        self.assertIn("ulimit -n 4096", row["change"])
        row = self.expect("open files", "warning", "1024, at most 1024", limits("1024", "1024"))
        self.assertNotIn("ulimit -n ", row["change"])
        self.expect("open files", "ok", "4096, at most 4096", limits("4096", "4096"))
        self.expect("open files", "ok", "unlimited, at most unlimited", limits("unlimited", "unlimited"))

    def test_core_dumps(self):
        row = self.expect("core dumps", "note", "none", {"proc/self/limits": LIMITS.format(core="0", soft="65536", hard="65536")})
        self.assertIn("ulimit -c unlimited", row["change"])
        self.expect("core dumps", "ok", "up to 4096 bytes", {"proc/self/limits": LIMITS.format(core="4096", soft="65536", hard="65536")})

    def test_core_pattern(self):
        row = self.expect("core pattern", "note", "core", {"proc/sys/kernel/core_pattern": "core\n"})
        self.assertIn("sysctl -w kernel.core_pattern=", row["change"])
        self.expect("core pattern", "ok", "/var/crash/%e", {"proc/sys/kernel/core_pattern": "/var/crash/%e\n"})

    def test_processors(self):
        row = self.expect("processors", "note", "4, of which the control group allows 1.5", {"sys/fs/cgroup/shop/cpu.max": "150000 100000\n"})
        self.assertIn("2 worker(s) start", row["why"])
        self.assertIn("CPUQuota=200%", row["change"])
        self.expect("processors", "ok", "4, of which the control group allows 2", {"sys/fs/cgroup/shop/cpu.max": "200000 100000\n"})
        self.expect("processors", "ok", "4", {"sys/fs/cgroup/shop/cpu.max": "800000 100000\n"})
        self.expect("processors", "ok", "5", {"proc/self/status": "Cpus_allowed_list:\t0-1,8,10-11\n"})

    def test_throttling(self):
        row = self.expect("throttling", "warning", "in 5.0 % of 1000 periods",
                          {"sys/fs/cgroup/shop/cpu.stat": "nr_periods 1000\nnr_throttled 50\n"})
        self.assertIn("--workers", row["change"])
        self.expect("throttling", "ok", "none", {"sys/fs/cgroup/shop/cpu.stat": "nr_periods 0\nnr_throttled 0\n"})

    def test_memory(self):
        row = self.expect("memory", "warning", "16.0 GiB, of which the control group allows 64 MiB", {"sys/fs/cgroup/shop/memory.max": "67108864\n"})
        self.assertIn("MemoryMax=", row["change"])
        self.expect("memory", "ok", "16.0 GiB, of which the control group allows 512 MiB", {"sys/fs/cgroup/shop/memory.max": "536870912\n"})
        self.expect("memory", "warning", "128 MiB", {"proc/meminfo": "MemTotal: 131072 kB\n"})

    def test_kills_for_memory(self):
        self.expect("kills for memory", "warning", "3", {"sys/fs/cgroup/shop/memory.events": "oom 4\noom_kill 3\n"})

    def test_queues_of_connections(self):
        row = self.expect("accept queue", "warning", "net.core.somaxconn = 128", {"proc/sys/net/core/somaxconn": "128\n"})
        self.assertEqual(row["change"], "sysctl -w net.core.somaxconn=4096")
        row = self.expect("half-open queue", "note", "net.ipv4.tcp_max_syn_backlog = 128", {"proc/sys/net/ipv4/tcp_max_syn_backlog": "128\n"})
        self.assertEqual(row["change"], "sysctl -w net.ipv4.tcp_max_syn_backlog=1024")

    def test_ports(self):
        row = self.expect("local ports", "warning", "40000 to 41999: 2000", {"proc/sys/net/ipv4/ip_local_port_range": "40000\t41999\n"})
        self.assertIn("sysctl -w net.ipv4.ip_local_port_range=", row["change"])
        self.expect("reuse of ports", "note", "net.ipv4.tcp_tw_reuse = 0", {"proc/sys/net/ipv4/tcp_tw_reuse": "0\n"})
        self.expect("reuse of ports", "ok", "net.ipv4.tcp_tw_reuse = 1", {"proc/sys/net/ipv4/tcp_tw_reuse": "1\n"})

    def test_settings_of_memory(self):
        row = self.expect("overcommit", "note", "vm.overcommit_memory = 2", {"proc/sys/vm/overcommit_memory": "2\n"})
        self.assertIn("vm.overcommit_memory=0", row["change"])
        row = self.expect("huge pages", "note", "always", {"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n"})
        self.assertIn("echo madvise", row["change"])
        self.expect("huge pages", "ok", "never", {"sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n"})

    def test_clock(self):
        source = "sys/devices/system/clocksource/clocksource0/current_clocksource"
        self.assertIn("echo tsc", self.expect("clock", "warning", "hpet", {source: "hpet\n"})["change"])
        self.expect("clock", "ok", "kvm-clock", {source: "kvm-clock\n"})

    def test_randomness(self):
        self.expect("randomness", "note", "kernel.random.entropy_avail = 60", {"proc/sys/kernel/random/entropy_avail": "60\n"})

    def test_time_zone_database(self):
        row = self.expect("time zone database", "warning", "none", {"usr/share/zoneinfo/UTC": None})
        self.assertEqual(row["change"], "apt-get install tzdata")

    def test_what_cannot_be_read_is_a_note_and_no_guess(self):
        rows = self.rows({path: None for path in WELL}, code=1)  # there is no time zone database
        unknown = {name for name, row in rows.items() if row["value"] == "unknown" and row["level"] == "note"}
        self.assertEqual(unknown, {"open files", "core dumps", "core pattern", "processors", "memory", "accept queue", "half-open queue",
                                   "randomness", "local ports", "reuse of ports", "overcommit", "huge pages", "clock"})

    def test_variables_that_programs_would_refuse(self):
        self.environment["GREENROOM_WOKERS"] = "2"
        row = self.expect("environment", "warning", "environment variable GREENROOM_WOKERS: unknown option: wokers: the nearest is workers", {})
        self.assertIn("refuses to start", row["why"])
        del self.environment["GREENROOM_WOKERS"]
        self.environment["GREENROOM_LOG_LEVEL"] = "trace"
        self.expect("environment", "note", "GREENROOM_LOG_LEVEL=trace", {})

    def test_prints_a_line_for_each_row_and_what_to_type(self):
        done = self.call({"proc/sys/net/core/somaxconn": "128\n"})
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("\nWARNING  accept queue        net.core.somaxconn = 128\n", done.stdout)
        self.assertIn("\n         -> sysctl -w net.core.somaxconn=4096\n", done.stdout)
        self.assertRegex(done.stdout, r"\n\n1 warning\(s\), \d+ note\(s\)\n$")
        self.assertEqual(self.call({}).returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
