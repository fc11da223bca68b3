#!/usr/bin/env python3
"""Tests of `greenroom top` and `greenroom graph URL`: tests/tools/watch_command_test.py COMMAND [EXAMPLE_SERVER]

A stand-in for a service says what the test wants; the example server is asked, too, if it is given. The tests of the screen need tmux.
"""

import http.server
import json
import re
import shlex
import signal
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from program import Program  # noqa: E402
from stub_service import StubService  # noqa: E402

COMMAND = sys.argv[1]
SERVER = sys.argv[2] if len(sys.argv) > 2 else None
LIMIT = 120  # seconds, for a hang


def an_input(number=0, **more):
    return {"name": f"input {number}", "number": number, "replica": 0, "type": "order", "limits": "bounded(8, overflow::wait)", **more}


def a_graph():
    """Two nodes and a junction; the edge to the second node is full."""
    return {
        "name": "shop",
        "future": {"of": ["other", "versions"]},
        "nodes": [
            {"name": "intake", "replicas": 1, "running": 1, "restarts": 0, "junction": False, "inputs": [], "state": "idle"},
            {"name": "pricing", "replicas": 4, "running": 3, "restarts": 7, "junction": False, "future": 1, "inputs": [
                an_input(accepted=140, handled=120, failed=2, dropped=5, queued=8, capacity=8, oldest_ms=1500, blocked_senders=3,
                         handling_ns=240_000_000)]},
            {"name": "fork", "replicas": 1, "running": 1, "restarts": 0, "junction": True, "inputs": [an_input(queued=0)]},
        ],
        "edges": [{"from": 0, "output": 0, "to": 1, "input": 0, "replica": 0, "dead_letters": False},
                  {"from": 1, "output": 0, "to": 2, "input": 0, "replica": 0, "dead_letters": True}],
        "entries": [{"name": "orders", "to": 0, "input": 0}],
    }


class Service(StubService):
    """Answers GET /graph.json with what stands in `body`."""

    def __init__(self, body):
        self.body = body if isinstance(body, str) else json.dumps(body)
        self.asked = 0
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                service.asked += 1
                found = self.path == "/graph.json"
                said = (service.next_body() if found else "nothing here").encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        super().__init__(Handler)

    def next_body(self):
        return self.body


def call(*arguments):
    return subprocess.run([COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)


def table(printed):
    """The rows by name, each a dictionary by column; columns stand where their heads do."""
    lines = printed.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("NODE "))
    heads = [(m.group(), m.start(), m.end()) for m in re.finditer(r"\S+", lines[begin])]
    rows = {}
    for line in lines[begin + 1:]:
        if not line.strip():
            break
        row = {}
        for name, start, end in heads:  # texts stand at the left of their column, numbers at its right
            cells = [(m.group(), m.start(), m.end()) for m in re.finditer(r"\S+(?: \S+)*", line)]
            row[name] = next((text for text, left, right in cells if left in (start, start + 2 * (start == 0)) or right == end), "")
        rows[row["NODE"]] = row
    return rows


class Top(unittest.TestCase):
    def once(self, url, *options):
        done = call("top", url, "--once", "--every", "100ms", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return table(done.stdout)

    def fails(self, *arguments, code=1):
        done = call(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertTrue(done.stderr.startswith("greenroom: "), done.stderr)
        return done.stderr

    def test_shows_the_figures_of_each_node(self):
        with Service(a_graph()) as service:
            rows = self.once(service.url)
        self.assertEqual(set(rows), {"intake", "pricing"}, "a junction is shown only while it holds items")
        pricing = rows["pricing"]
        self.assertEqual((pricing["STATE"], pricing["RUN"], pricing["RESTARTS"]), ("partly", "3/4", "7"))
        self.assertEqual((pricing["QUEUED"], pricing["FILL"], pricing["OLDEST"], pricing["BLOCKED"]), ("8/8", "[##########]", "1.5 s", "3"))
        self.assertEqual((pricing["HANDLED"], pricing["FAIL/DROP"]), ("120", "2/5"))
        self.assertEqual(pricing["RATE/s"], "0.0")
        self.assertEqual(pricing["HANDLING"], "2.0 ms", "the mean of all items, as there were no new ones")
        self.assertEqual((rows["intake"]["STATE"], rows["intake"]["HANDLED"]), ("idle", "-"))

    def test_computes_rates_and_times_from_two_readings(self):
        graph = a_graph()
        bodies = [json.dumps(graph)]
        graph["nodes"][1]["inputs"][0].update(handled=130, handling_ns=240_000_000 + 10 * 7_000_000)
        bodies.append(json.dumps(graph))
        with Service(a_graph()) as service:
            service.next_body = lambda: bodies[min(service.asked, 2) - 1]
            row = self.once(service.url)["pricing"]
        self.assertEqual(row["HANDLED"], "130")
        self.assertEqual(row["HANDLING"], "7.0 ms", "of the ten new items")
        self.assertTrue(0 < float(row["RATE/s"]) <= 100, "ten items in a tenth of a second at least")

    def test_json_has_what_the_service_says_and_the_rates(self):
        graph = a_graph()
        with Service(graph) as service:
            def handled_ten_more():
                body = json.dumps(graph)
                graph["nodes"][1]["inputs"][0]["handled"] += 10
                return body
            service.next_body = handled_ten_more
            done = call("top", service.url, "--json", "--every", "100ms")
            url = service.url
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = json.loads(done.stdout)
        self.assertEqual(report["url"], url + "/graph.json")
        pricing = report["graph"]["nodes"][1]
        self.assertEqual((pricing["name"], pricing["restarts"], pricing["inputs"][0]["handled"]), ("pricing", 7, 130))
        rate = next(r for r in report["rates"] if r["node"] == "pricing")
        self.assertTrue(0 < rate["per_second"] <= 100, "ten items in a tenth of a second at least")
        self.assertEqual((rate["input"], rate["replica"]), (0, 0))

    def test_leaves_out_what_the_service_does_not_say(self):
        graph = {"nodes": [{"name": "old", "inputs": [{"number": 0, "queued": 2, "limits": "bounded(4, overflow::wait)", "oldest_ms": None}]},
                           {"name": "two", "inputs": [an_input(0, limits="unbounded()", queued=5), an_input(1)]}]}
        with Service(graph) as service:
            rows = self.once(service.url + "/graph.json")
        self.assertEqual((rows["old"]["QUEUED"], rows["old"]["FILL"]), ("2/4", "[#####.....]"), "the capacity stands in the limits")
        self.assertEqual((rows["old"]["OLDEST"], rows["old"]["BLOCKED"], rows["old"]["HANDLING"]), ("-", "-", "-"))
        self.assertEqual(rows["two"]["QUEUED"], "-", "each of its inputs has a line")
        self.assertEqual(rows["0 order"]["QUEUED"], "5")
        self.assertEqual(rows["1 order"]["QUEUED"], "0/8")

    def test_does_not_let_a_service_command_the_terminal(self):
        graph = a_graph()
        graph["nodes"][0]["name"] = "in\x1b[2Jtake\u009b1m"
        with Service(graph) as service:
            done = call("top", service.url, "--once", "--every", "100ms")
        self.assertIn("in?[2Jtake?1m", done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_a_table_that_a_signal_prevents_is_no_success(self):
        with Service(a_graph()) as service:
            asked = threading.Event()
            service.next_body = lambda: (asked.set(), service.body)[1]
            process = subprocess.Popen([COMMAND, "top", service.url, "--once", "--every", "1h"], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            self.assertTrue(asked.wait(LIMIT))
            process.send_signal(signal.SIGINT)
            printed, said = process.communicate(timeout=LIMIT)
        self.assertEqual((process.returncode, printed), (130, ""))
        self.assertEqual(said, "greenroom: ended by SIGINT before it had a result\n")

    @unittest.skipUnless(shutil.which("openssl"), "there is no openssl to make a certificate")
    def test_asks_a_service_that_speaks_https(self):
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                           check=True, capture_output=True, timeout=LIMIT)
            service = Service(a_graph())
            service.secure(certificate, key)
            with service:
                self.assertEqual(self.once(service.url, "--ca", certificate)["pricing"]["HANDLED"], "120")
                self.assertIn('n0["intake', call("graph", service.url, "--mermaid", "--ca", certificate).stdout)
                self.assertIn("certificate", self.fails("top", service.url, "--once"))
                self.assertIn(f"{folder}/none", self.fails("top", service.url, "--once", "--ca", f"{folder}/none", code=2))

    def test_says_what_is_wrong(self):
        with Service("{") as service:
            self.assertIn("/graph.json: ", self.fails("top", service.url, "--once"))
            self.assertIn("404", self.fails("top", service.url + "/elsewhere", "--once"))
            self.assertIn("--once", self.fails("top", service.url))  # standard output is no terminal
            url = service.url
        self.assertIn("Connection refused", self.fails("top", url, "--once"))
        bad = a_graph()
        bad["edges"][0]["to"] = 3
        with Service(bad) as service:
            self.assertIn("an edge leads to none of the 3 nodes", self.fails("graph", service.url))
        self.assertIn("top takes URL, and none was given", self.fails("top", code=2))
        for command in ("top", "graph", "trace"):
            self.assertIn("it is neither http nor https", self.fails(command, "ftp://127.0.0.1", code=2))
            self.assertIn("a port that is none", self.fails(command, "http://127.0.0.1:99999", code=2))
        self.assertIn("--every: '1d' is not", self.fails("top", url, "--every=1d", code=2))
        self.assertIn("--often: there is no such option", self.fails("top", url, "--often", code=2))

    @unittest.skipUnless(SERVER, "the example server is not built")
    def test_shows_the_figures_of_the_example_server(self):
        with Program(SERVER, "--port", "0", "--threads", "2", "--log-level", "off") as server:
            server.ask("/orders?customer=1&pieces=2&times=500", "POST")
            end = time.monotonic() + LIMIT
            while True:  # until all has been handled
                graph = server.json("/graph.json")
                inputs = [i for node in graph["nodes"] for i in node["inputs"]]
                if sum(i["handled"] for i in inputs) and not any(i["queued"] + i["in_hand"] for i in inputs):
                    break
                self.assertLess(time.monotonic(), end)
            rows = self.once(server.url)
            for node in graph["nodes"]:
                if node["junction"]:
                    continue
                row = rows[node["name"]]
                self.assertEqual((row["RUN"], row["RESTARTS"]), (f"{node['running']}/{node['replicas']}", str(node["restarts"])))
                if len(node["inputs"]) == 1:
                    counts = node["inputs"][0]
                    self.assertEqual(row["HANDLED"], str(counts["handled"]), node["name"])
                    self.assertEqual(row["FAIL/DROP"], f"{counts['failed']}/{counts['dropped']}")
                    self.assertEqual(row["QUEUED"].split("/")[0], str(counts["queued"]))


class Graph(unittest.TestCase):
    def draws(self, *options):
        with Service(a_graph()) as service:
            done = call("graph", service.url, *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_prints_it_for_graphviz(self):
        drawn = self.draws()
        self.assertEqual(drawn, self.draws("--dot"))
        self.assertTrue(drawn.startswith('digraph "shop" {\n') and drawn.endswith("}\n"), drawn)
        self.assertIn('  n1 [label="pricing x4, 3 run, 7 restart(s)"];\n', drawn)
        self.assertIn('  n0 -> n1 [label="order: 8 of 8 queued, 3 blocked", color=red, penwidth=2];\n', drawn)
        self.assertIn('  n1 -> n2 [label="dead letters", style=dashed];\n', drawn)
        self.assertIn('  e0 [label="orders", shape=plaintext];\n  e0 -> n0;\n', drawn)
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tsvg"], input=drawn, text=True, capture_output=True, check=True, timeout=LIMIT)

    def test_prints_it_as_json(self):
        graph = json.loads(self.draws("--json"))
        self.assertEqual([node["name"] for node in graph["nodes"]], ["intake", "pricing", "fork"])
        self.assertEqual(graph["entries"], [{"name": "orders", "to": 0}])

    def test_prints_it_for_mermaid(self):
        drawn = self.draws("--mermaid")
        self.assertTrue(drawn.startswith("flowchart LR\n"), drawn)
        self.assertIn('  n1["pricing x4, 3 run, 7 restart(s)"]\n', drawn)
        self.assertIn('  n0 -->|"order: 8 of 8 queued, 3 blocked"| n1\n', drawn)
        self.assertIn('  n1 -.->|"dead letters"| n2\n', drawn)
        self.assertIn('  e0(["orders"]) --> n0\n', drawn)
        self.assertTrue(drawn.endswith("  linkStyle 0 stroke:#c00,stroke-width:3px\n"), drawn)


@unittest.skipUnless(shutil.which("tmux"), "there is no tmux")
class Screen(unittest.TestCase):
    def setUp(self):
        self.socket = f"greenroom_test_{id(self)}_{time.monotonic_ns()}"
        self.addCleanup(lambda: self.tmux("kill-server", check=False))

    def tmux(self, *arguments, check=True):
        return subprocess.run(["tmux", "-L", self.socket, "-f", "/dev/null", *arguments], capture_output=True, text=True, check=check,
                              timeout=LIMIT).stdout

    def begin(self, url, *options):
        command = shlex.join([COMMAND, "top", url, "--every", "100ms", *options])
        self.tmux("new-session", "-d", "-x", "120", "-y", "12", f"echo before; {command}; echo ended with $?; stty -a; cat")

    def wait_for(self, *parts):
        """Returns the screen once all of these stand on it."""
        end = time.monotonic() + LIMIT
        while True:
            shown = self.tmux("capture-pane", "-p")
            if all(part in shown for part in parts):
                return shown
            self.assertLess(time.monotonic(), end, shown)

    def test_follows_the_service_and_gives_the_terminal_back(self):
        graph = a_graph()
        with Service(graph) as service:
            self.begin(service.url)
            shown = self.wait_for("NODE ", "pricing", "8/8", "q ends")
            self.assertIn("graph 'shop' at " + service.url, shown)
            self.assertIn("2 nodes, 1 with a full input", shown)
            self.assertEqual(table(shown)["pricing"]["HANDLED"], "120")
            graph["nodes"][1]["inputs"][0].update(handled=9999, queued=1, blocked_senders=0)
            service.body = json.dumps(graph)
            shown = self.wait_for("9999", "0 with a full input")
            self.assertEqual(table(shown)["pricing"]["QUEUED"], "1/8")
            self.tmux("send-keys", "x")
            self.tmux("send-keys", "q")
            shown = self.wait_for("before", "ended with 0", " icanon", " echo ")
            self.assertNotIn("pricing", shown, "its screen has gone with it")

    def test_keeps_the_last_table_while_the_service_is_away(self):
        with Service(a_graph()) as service:
            self.begin(service.url)
            self.wait_for("pricing")
        self.wait_for("NOT READ: ", "refused", "pricing")
        self.tmux("send-keys", "C-c")
        self.wait_for("ended with 0")

    def test_shows_as_much_as_fits(self):
        graph = a_graph()
        graph["nodes"] += [{"name": f"node {i}", "replicas": 1, "running": 1, "restarts": 0, "inputs": []} for i in range(50)]
        with Service(graph) as service:
            self.begin(service.url)
            shown = self.wait_for("pricing", "node 6")
            self.assertNotIn("node 7 ", shown)
            self.assertIn("52 nodes", shown)
            self.tmux("send-keys", "q")
            self.wait_for("ended with 0")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
