#!/usr/bin/env python3
"""Tests of `greenroom ledger verify`: tests/tools/ledger_command_test.py COMMAND [EXAMPLE_SERVER]

What a violation is, is tested in tests/actors/ledger_verify_test.cpp; here is what the command makes of it. The ledgers are made by the example
server, and damaged by hand.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from program import Program  # noqa: E402

COMMAND = sys.argv[1]
SERVER = sys.argv[2] if len(sys.argv) > 2 else None
LIMIT = 120  # seconds, for a hang


def verify(*arguments):
    return subprocess.run([COMMAND, "ledger", "verify", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT, check=False)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "shop.db"

    def test_cannot_read_what_is_no_journal(self):
        for content, part in ((None, "there is no journal"), (b"", "is empty"), (b"x" * 5000, "shop.db")):
            if content is not None:
                self.file.write_bytes(content)
            done = verify(self.file)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertTrue(done.stderr.startswith("greenroom: "), done.stderr)
            self.assertIn(part, done.stderr)
            self.assertEqual(self.file.exists(), content is not None, "looking makes none")
        other = sqlite3.connect(self.file.with_name("other.db"))
        other.execute("CREATE TABLE t(x)")
        other.close()
        done = verify(self.file.with_name("other.db"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("no journal of this version", done.stderr)
        self.assertIn("other.db'", done.stderr)

    def test_does_not_show_a_password(self):
        for connection in ("host=/nowhere password=secret dbname=x", "postgresql://me:secret@127.0.0.1:1/x"):
            done = verify(connection)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertNotIn("secret", done.stderr)

    def test_refuses_a_wrong_command_line(self):
        for arguments in (("ledger",), ("ledger", "check", "x"), ("ledger", "verify"), ("ledger", "verify", "x", "--most", "y")):
            done = subprocess.run([COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)


@unittest.skipUnless(SERVER, "the example server is not built")
class OfAServer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "shop.db"

    def start(self):
        return Program(SERVER, "--port", "0", "--threads", "1", "--log-level", "off", "--ledger", self.file)

    def fill(self):
        with self.start() as server:
            for order in ({"key": "o1", "account": "world", "currency": "EUR", "may_be_negative": True},
                          {"key": "o2", "account": "alice", "currency": "EUR"}):
                self.assertEqual(server.ask("/accounts", "POST", json.dumps(order), Content_Type="application/json")[0], 200)
            for i in range(10):
                self.assertEqual(self.pay(server, f"t{i}")[0], 200)
            server.stop()

    def pay(self, server, key, amount=5):
        return server.ask("/transfers", "POST", json.dumps({"key": key, "from": "world", "to": "alice", "amount": amount}),
                          Content_Type="application/json")

    def test_finds_a_sound_ledger_sound(self):
        self.fill()
        before = self.file.read_bytes()
        done = verify(self.file)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn(": 12 records\n", done.stdout)
        self.assertIn("  2 accounts opened, 0 closed; 10 transfers, 0 reversals", done.stdout)
        self.assertIn("  EUR: 2 accounts, which add up to 0; 0 overdrawn\n", done.stdout)
        self.assertTrue(done.stdout.endswith("\nsound\n"))
        report = json.loads(verify(self.file, "--json").stdout)
        self.assertEqual((report["sound"], report["records"], report["violations"]), (True, 12, []))
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual([f.name for f in self.file.parent.iterdir()], ["shop.db"])

    def test_names_the_violations_of_one_that_is_not(self):
        self.fill()
        with sqlite3.connect(self.file) as db:
            db.execute("UPDATE records SET content = replace(content, 'EUR', 'USD') WHERE number IN (5, 6)")
            db.execute("INSERT INTO cursors VALUES('mail', 99)")
        db.close()
        done = verify(self.file)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("\n  record 5: it is in USD, and the account 'world' has EUR\n", done.stdout)
        self.assertIn("\n  the reader 'mail' is done with record 99, and the last one is 12\n", done.stdout)
        few = verify(self.file, "--most", "1")
        self.assertIn("more; --most shows more of them", few.stdout)
        report = json.loads(verify(self.file, "--json").stdout)
        self.assertFalse(report["sound"])
        self.assertEqual(report["violation_count"], len(report["violations"]))
        self.assertEqual(report["violations"][0]["record"], 5)

    def test_damage_is_told_of_the_file_and_not_of_its_copy(self):
        self.fill()
        whole = self.file.read_bytes()
        page = int.from_bytes(whole[16:18], "big")
        for number in range(1, len(whole) // page):
            self.file.write_bytes(whole[:number * page] + b"\xff" * page + whole[(number + 1) * page:])
            done = verify(self.file)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("greenroom_journal_", done.stdout + done.stderr)
            self.assertIn(str(self.file), done.stdout + done.stderr)

    def test_reads_the_ledger_of_a_server_that_has_it_open_and_writes(self):
        self.fill()
        with self.start() as server:
            enough = threading.Event()
            sent = []

            def pay_on():
                while not enough.is_set():
                    key = f"more {len(sent)}"
                    sent.append(self.pay(server, key)[0])

            payer = threading.Thread(target=pay_on)
            payer.start()
            try:
                reports = []
                while len(reports) < 5:
                    done = verify(self.file, "--json")
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    reports.append(json.loads(done.stdout)["records"])
            finally:
                enough.set()
                payer.join()
            self.assertEqual(set(sent), {200})
            self.assertEqual(reports, sorted(reports))
            self.assertEqual(json.loads(verify(self.file, "--json").stdout)["records"], 12 + len(sent))
            server.stop()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
