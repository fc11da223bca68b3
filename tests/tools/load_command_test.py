#!/usr/bin/env python3
"""Tests of `greenroom load`: tests/tools/load_command_test.py COMMAND [EXAMPLE_SERVER]

What it counts, and that a standstill is seen, is tested in virtual time (load_run_test.cpp); here is the command line, real sockets, and the report.
"""

import http.server
import json
import signal
import socket
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


def call(*arguments):
    return subprocess.run([COMMAND, "load", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)


class Service(StubService):
    """Keeps what it is asked, and answers with `status`."""

    def __init__(self, status=200, wanted=1):
        self.seen = []
        self.got = threading.Event()  # as many requests as wanted
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.seen.append((self.command, self.path, dict(self.headers), body))
                if len(service.seen) >= wanted:
                    service.got.set()
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(b"ok")

            do_GET = do_POST = do_PUT = do_HEAD = answer

            def log_message(self, *_):
                pass

        super().__init__(Handler)


class Load(unittest.TestCase):
    def report(self, *arguments, code=0):
        done = call(*arguments, "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def refuses(self, part, *arguments):
        done = call(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn(part, done.stderr)
        self.assertTrue(done.stderr.startswith("greenroom: "), done.stderr)

    def test_sends_as_many_as_were_due_and_reports_them(self):
        with Service() as service:
            report = self.report(service.url + "/x?y=1", "--rate", "200", "--for", "500ms", "--warm-up", "100ms", "--connections", "4")
            self.assertEqual(len(service.seen), 120)
            self.assertEqual({(method, path) for method, path, _, _ in service.seen}, {("GET", "/x?y=1")})
        self.assertEqual(report["requests"]["due"], 100)
        self.assertEqual(report["requests"]["answered"], 100)
        self.assertEqual(report["requests"]["warm_up"], 20)
        self.assertEqual(report["statuses"], {"200": 100})
        self.assertEqual(report["response_ms"]["count"], 100)
        self.assertEqual(len(report["course"]), 10)
        self.assertLessEqual(report["response_ms"]["p50"], report["response_ms"]["max"])
        self.assertEqual(report["connects"], 4)

    def test_prints_a_table_for_people(self):
        with Service() as service:
            done = call(service.url, "--rate", "100", "--for", "300ms", "--connections", "2", "--threads", "2", "--poisson", "--seed", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"GET {service.url}, 100/s, arrivals by chance, for 0.3 s; 2 connections, 2 threads\n", done.stdout)
        for row in ("response time", "service time", "generator late"):
            self.assertRegex(done.stdout, rf"\n  {row} +\d[^\n]* (ns|us|ms|s)\n")
        self.assertRegex(done.stdout, r"\n  <= [^\n]*#\n")

    def test_sends_the_request_as_it_was_given(self):
        with Service() as service, tempfile.NamedTemporaryFile() as file:
            file.write(b"from a file\n")
            file.flush()
            once = ("--rate", "10", "--for", "50ms", "--connections", "1")
            self.report(service.url, "--body", "text", "--header", "Content-Type: x/y", "--header", "X-More: 1", *once)
            self.report(service.url, "--body", "@" + file.name, "--method", "PUT", *once)
            self.report(service.url, "--method", "HEAD", *once)
            (one, two, three) = service.seen
        self.assertEqual((one[0], one[3], one[2]["Content-Type"], one[2]["X-More"]), ("POST", b"text", "x/y", "1"))
        self.assertEqual((two[0], two[3]), ("PUT", b"from a file\n"))
        self.assertEqual(three[0], "HEAD")

    def test_counts_statuses(self):
        with Service(status=503) as service:
            options = ("--rate", "100", "--for", "100ms", "--connections", "2")
            report = self.report(service.url, *options, code=1)
            self.assertIn("greenroom: no answer was a success: 10 x 503\n", call(service.url, *options).stderr)
            search = self.report(service.url, *options, "--until-p99", "1s", code=1)
        self.assertEqual((search["highest_rate"], len(search["trials"])), (0, 1), "errors are nothing that a rate can keep")
        self.assertEqual(report["statuses"], {"503": 10})
        self.assertTrue(any("100.0 % of the requests were answered with an error" in w for w in report["warnings"]), report["warnings"])

    def test_says_so_when_nothing_was_answered(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            done = call(url, "--rate", "50", "--for", "100ms", "--time-out", "100ms", "--connections", "8", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none of the 5 requests was answered", done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["faults"], [{"kind": "timed out", "count": 5, "first": "no answer in time"}])
        self.assertGreaterEqual(report["response_ms"]["p50"], 100)
        done = call(url, "--rate", "50", "--for", "100ms")  # nobody listens any more
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("Connection refused", done.stderr)

    def test_refuses_what_it_should_not_do(self):
        self.refuses("--allow-remote says that you may", "http://192.0.2.1/")
        self.refuses("--allow-remote says that you may", "http://127.0.0.1.example.com/")
        self.refuses("it is neither http nor https", "ftp://127.0.0.1/")
        self.refuses("--rate: 'much' is not a number from 0.01 to 1e+07", "http://127.0.0.1:1/", "--rate", "much")
        self.refuses("--rate: '0' is not", "http://127.0.0.1:1/", "--rate=0")
        self.refuses("--ramp: '5' is not two rates", "http://127.0.0.1:1/", "--ramp", "5")
        self.refuses("leave --rate out", "http://127.0.0.1:1/", "--ramp", "5..50", "--rate", "10")
        self.refuses("3 threads cannot share 2 connections", "http://127.0.0.1:1/", "--threads", "3", "--connections", "2")
        self.refuses("is no header field", "http://127.0.0.1:1/", "--header", "none")
        self.refuses("--body: cannot open: /does/not/exist: No such file", "http://127.0.0.1:1/", "--body", "@/does/not/exist")
        self.refuses("--body: cannot read: /: Is a directory", "http://127.0.0.1:1/", "--body", "@/")
        self.refuses("load takes URL", "--rate", "5")

    def test_ends_by_a_signal_with_the_report_so_far(self):
        with Service(wanted=3) as service:  # on two connections: so one is answered, or the exit code would be another one
            process = subprocess.Popen([COMMAND, "load", service.url, "--rate", "50", "--for", "1h", "--connections", "2", "--json"],
                                       stdout=subprocess.PIPE, text=True)
            self.assertTrue(service.got.wait(LIMIT))
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=LIMIT)
        report = json.loads(printed)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(report["interrupted"])
        self.assertGreaterEqual(report["requests"]["due"], 1)
        self.assertLess(report["lasted_s"], 3600)
        self.assertLess(report["course_part_s"], report["lasted_s"], "the course is that of what was, and not of what was meant to be")

    def test_a_search_that_a_signal_ends_has_no_result(self):
        with Service(wanted=3) as service:
            process = subprocess.Popen([COMMAND, "load", service.url, "--until-p99", "1s", "--rate", "50", "--for", "1h", "--connections", "2"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertTrue(service.got.wait(LIMIT))
            process.send_signal(signal.SIGINT)
            printed, said = process.communicate(timeout=LIMIT)
        self.assertEqual((process.returncode, said), (130, "greenroom: ended by SIGINT before it had a result\n"))
        self.assertTrue(printed.endswith("\n  no rate has kept 1s so far\n  Note: it was ended before the highest rate was found.\n"), printed)

    def test_looks_for_the_highest_rate_that_keeps_a_limit(self):
        with Service() as service:  # which rate that is, is for load_search_test.cpp: here a busy machine has a say in it
            options = ("--until-p99", "1s", "--rate", "20", "--for", "50ms", "--connections", "1", "--time-out", "5s")
            done = call(service.url, *options, "--json")
            shown = call(service.url, *options)
        found = json.loads(done.stdout)
        self.assertEqual(found["limit_ms"], 1000)
        self.assertEqual(found["trials"][0]["from_rate"], 20)
        self.assertEqual(done.returncode, 0 if found["highest_rate"] else 1)
        self.assertRegex(shown.stdout, r"20\.0/s .* p99 .* (not )?kept\n")
        self.assertRegex(shown.stdout, r"\n  (1s kept up to \d+/s|no rate kept 1s)\n")
        self.assertIn("leave --ramp out", call(service.url, "--until-p99", "1s", "--ramp", "1..2").stderr)

    @unittest.skipUnless(SERVER, "the example server is not built")
    def test_loads_the_example_server(self):
        with Program(SERVER, "--port", "0", "--threads", "1", "--log-level", "off") as server:
            report = self.report(server.url + "/hello", "--rate", "500", "--for", "1s")
            slow = self.report(server.url + "/task?ms=100", "--rate", "20", "--for", "500ms")
        self.assertEqual(report["statuses"], {"200": 500})
        self.assertEqual(slow["statuses"], {"200": 10})
        self.assertGreaterEqual(slow["service_ms"]["min"], 100)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
