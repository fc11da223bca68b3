#!/usr/bin/env python3
"""Tests of `greenroom bench`: tests/tools/bench_command_test.py COMMAND"""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

COMMAND = sys.argv[1]
COMPARE = Path(__file__).resolve().parents[2] / "tools" / "bench" / "compare"
LIMIT = 300  # seconds, for a hang


def call(*arguments):
    return subprocess.run([COMMAND, "bench", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)


class Bench(unittest.TestCase):
    def test_says_of_each_what_compare_says(self):
        ours = dict(line.split(None, 1) for line in call("--list").stdout.splitlines())
        compare = subprocess.run([sys.executable, str(COMPARE), "--items"], capture_output=True, text=True, timeout=LIMIT, check=True)
        theirs = dict(line.split(None, 1) for line in compare.stdout.splitlines())
        self.assertEqual(ours, {name: re.sub(r" \([^)]*\)$", "", item) for name, item in theirs.items()}, "but for remarks about peers")

    def test_runs_those_that_are_named_and_checks_their_work(self):
        done = call("pingpong", "idle_mem", "idle", "--quick", "--threads", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:4]}
        self.assertEqual(set(rows), {"pingpong", "idle_mem", "idle"})
        self.assertRegex(rows["pingpong"], r"^pingpong +1 +[\d.]+ +[\d.]+ +a hand-over between two tasks")
        self.assertRegex(rows["idle"], r"context switches a second$")

    def test_prints_the_lines_of_compare(self):
        done = call("spawn", "select", "--quick", "--threads", "1,2", "--runs", "2", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([(line["bench"], line["threads"]) for line in lines],
                         [("spawn", 1)] * 2 + [("spawn", 2)] * 2 + [("select", 1)] * 2 + [("select", 2)] * 2)
        self.assertEqual(set(lines[0]), {"bench", "lang", "threads", "n", "seconds", "cpu_seconds", "bytes_each", "check", "context_switches"})
        self.assertEqual({line["lang"] for line in lines}, {"greenroom"})
        self.assertEqual(lines[0]["check"], lines[0]["n"])

    def test_refuses_what_it_does_not_have(self):
        for arguments, part in ((("pingpnog",), "near is pingpong"), (("--threads", "0"), "--threads: '0'"), (("--threads", "1,x"), "--threads: '1,x'"),
                                (("--runs", "0"), "--runs: '0'")):
            done = call(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(part, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
