#!/usr/bin/env python3
"""Tests of `greenroom trace`: tests/tools/trace_command_test.py COMMAND [EXAMPLE_SERVER]"""

import http.server
import json
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from program import Program  # noqa: E402
from stub_service import StubService  # noqa: E402

COMMAND = sys.argv[1]
SERVER = sys.argv[2] if len(sys.argv) > 2 else None
LIMIT = 120  # seconds, for a hang

DUMP = {
    "now_ms": 9_000,
    "actor": None,
    "future": [1],
    "events": [
        {"at_ms": 1_000, "what": "spawned", "actor": 7, "name": "pricing", "by": 2},
        {"at_ms": 2_000, "what": "took", "actor": 7, "name": "pricing", "times": 3, "type": "order", "mailbox": 1, "text": "some\u001b[2Jtea"},
        {"at_ms": 2_500, "what": "danced", "actor": 7, "name": "pricing"},
        {"at_ms": 3_000, "what": "logged", "actor": 8, "name": "stock", "level": "warn", "trace_id": "4bf92f35", "text": "sold out"},
        {"at_ms": 4_000, "what": "logged", "actor": 0, "name": "", "level": "info", "text": "by main"},
        {"at_ms": 8_000, "what": "ended", "actor": 7, "name": "pricing", "text": "failed", "future": True},
    ],
}


def call(*arguments):
    return subprocess.run([COMMAND, "trace", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
                          check=False)


class Service(StubService):
    """Answers GET /debug/flight with the dumps of `bodies`, one after the other; the last again and again."""

    def __init__(self, *bodies):
        self.asked = 0
        self.seen_last = threading.Event()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                found = self.path == "/debug/flight"
                said = json.dumps(bodies[min(service.asked, len(bodies) - 1)]).encode() if found else b"nothing here"
                service.asked += 1
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
                if service.asked > len(bodies):
                    service.seen_last.set()

            def log_message(self, *_):
                pass

        super().__init__(Handler)


class Trace(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "flight.json"
        self.file.write_text(json.dumps(DUMP))

    def shows(self, *options):
        done = call(self.file, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_shows_a_line_for_each_event(self):
        self.assertEqual(self.shows(), [
            "      1000 ms  actor 7 'pricing' spawned by actor 2",
            "      2000 ms  actor 7 'pricing' took order from mailbox 1, 3 times: some?[2Jtea",
            "      3000 ms  actor 8 'stock' warn: sold out (trace_id=4bf92f35)",
            "      4000 ms  - info: by main",
            "      8000 ms  actor 7 'pricing' ended: failed",
        ])

    def test_shows_those_that_all_filters_let_through(self):
        for options, at in {
            ("--actor", "7"): [1, 2, 8],
            ("--actor", "ric"): [1, 2, 8],
            ("--actor", "stock"): [3],
            ("--kind", "logged"): [3, 4],
            ("--kind=logged", "--actor=8"): [3],
            ("--trace", "4bf9"): [3],
            ("--trace", "5"): [],
            ("--from", "2s", "--to", "4s"): [2, 3, 4],
            ("--since", "5s"): [4, 8],
            ("--last", "2"): [4, 8],
            ("--kind", "logged", "--last", "1"): [4],
        }.items():
            lines = self.shows(*options)
            self.assertEqual([int(line.split()[0]) // 1000 for line in lines if line != "no events"], at, options)

    def test_gives_the_same_again_as_json(self):
        log = json.loads("\n".join(self.shows("--json", "--actor", "pricing")))
        wanted = [e for e in DUMP["events"] if e["name"] == "pricing" and e["what"] != "danced"]
        wanted[1]["text"] = "some?[2Jtea"
        del wanted[-1]["future"]
        self.assertEqual(log, {"now_ms": 9_000, "actor": None, "events": wanted})

    def test_gives_trace_events_for_chrome(self):
        trace = json.loads("\n".join(self.shows("--chrome")))["traceEvents"]
        rows = {e["tid"]: e["args"]["name"] for e in trace if e["name"] == "thread_name"}
        self.assertEqual(rows, {0: "outside of actors", 7: "pricing (7)", 8: "stock (8)"})
        lives = {e["tid"]: (e["ts"], e["dur"]) for e in trace if e["ph"] == "X"}
        self.assertEqual(lives, {7: (1_000_000, 7_000_000), 8: (3_000_000, 6_000_000)})
        took = next(e for e in trace if e["name"] == "took order")
        self.assertEqual((took["ph"], took["tid"], took["ts"], took["args"]["times"]), ("i", 7, 2_000_000, 3))
        self.assertEqual(len([e for e in trace if e["ph"] == "i"]), 5)

    def test_says_where_a_file_is_broken(self):
        whole = json.dumps(DUMP, indent=1)
        for text, part in (("", "it is empty"), (" \n ", "it is empty"), ("      3 ms  actor 7 spawned\n", "begins with '3' at byte 7"),
                           (whole[:200], "line "), (whole.replace('"actor": 7', '"actor": 7.5', 1), "/events/0/actor"),
                           (whole.replace('"what"', '"that"', 1), "/events/0/what"), ('{"now_ms": 1}', "events")):
            self.file.write_text(text)
            done = call(self.file)
            self.assertEqual((done.returncode, done.stdout), (1, ""), text[:40])
            self.assertTrue(done.stderr.startswith("greenroom: "), done.stderr)
            self.assertIn(str(self.file), done.stderr)
            self.assertIn(part, done.stderr)
        self.file.write_bytes(b'{"now_ms":1,"actor":null,"events":[{"at_ms":1,"what":"logged","actor":0,"text":"\xff"}]}')
        self.assertEqual(call(self.file).returncode, 1, "no UTF-8")
        self.assertIn("cannot open: ", call(self.file.parent / "none").stderr)
        self.assertEqual(call(self.file.parent).stderr, f"greenroom: cannot read: {self.file.parent}: Is a directory\n")
        self.assertIn("begins with http://", call("127.0.0.1:8080").stderr)

    def test_refuses_a_wrong_command_line(self):
        for options, part in ((("--kind", "danced"), "--kind: 'danced' is not took"), (("--since", "soon"), "--since: 'soon' is not"),
                              (("--follow",), "--follow takes the address"), (("--last", "0"), "--last: '0'")):
            done = call(self.file, *options)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(part, done.stderr)

    def test_asks_a_service(self):
        with Service(DUMP) as service:
            self.assertEqual(call(service.url, "--last", "1").stdout, "      8000 ms  actor 7 'pricing' ended: failed\n")
            self.assertEqual(call(service.url + "/", "--last", "1").returncode, 0)
            elsewhere = call(service.url + "/elsewhere")
        self.assertEqual(elsewhere.returncode, 1)
        self.assertIn("404", elsewhere.stderr)

    def test_follows_a_service_and_shows_each_event_once(self):
        def dump(now, *times):
            return {"now_ms": now, "actor": None, "events": [{"at_ms": t, "what": "logged", "actor": 1, "name": "a", "text": f"line {t}"} for t in times]}
        with Service(dump(10, 1, 2), dump(20, 1, 2, 15), dump(30, 2, 15, 25, 25), dump(5, 3)) as service:
            process = subprocess.Popen([COMMAND, "trace", service.url, "--follow", "--every", "100ms"], stdout=subprocess.PIPE, text=True)
            self.assertTrue(service.seen_last.wait(LIMIT))
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0)
        said = [line if line.startswith("--") else line.split("line ")[1] for line in printed.splitlines()]
        self.assertEqual(said, ["1", "2", "15", "25", "25", "---- it was started anew", "3"])

    @unittest.skipUnless(SERVER, "the example server is not built")
    def test_shows_the_example_server(self):
        with Program(SERVER, "--port", "0", "--threads", "1", "--log-level", "off") as server:
            server.ask("/hello")
            done = call(server.url, "--kind", "spawned", "--last", "5")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(done.stdout.splitlines()), 5)
            json.loads(call(server.url, "--chrome").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
