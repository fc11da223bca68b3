#!/usr/bin/env python3
"""Plays the user of the example server: examples/server.drive.py PROGRAM."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from program import Program, expect

LATE = "Request canceled: context deadline exceeded\n"


def endpoints(server):
    hello = server.ask("/hello")
    expect((hello[0], hello[2]), (200, "Hello, World!"), "/hello")
    expect(server.body("/"), "Hello, World!", "/ for a program")
    page = server.ask("/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    expect(page[1]["Content-Type"], "text/html; charset=utf-8", "/ for a browser")
    for said in ("/hello", "/echo", "/task?ms=100", "/jobs", "/jobs/tidy-up/run", "/status", "/metrics", "/debug/deadlocks", "/debug/flight", "/shop", "/quotes?how=first", "/process?bytes=500000000", "/graph.json", "/graph.dot", "/graph.mmd", "/healthz", "/readyz"):
        assert f"{server.url}{said}" in page[2], f"the page does not explain {said}"
    expect(server.ask("/echo", "POST", "some text", Content_Type="text/x-some")[1]["Content-Type"], "text/x-some", "/echo")
    expect(server.body("/echo", "POST", "some text"), "some text", "/echo")
    expect(server.ask("/task?ms=1")[::2], (200, "Success: task completed\n"), "/task in time")
    expect(server.ask("/task?ms=30000")[::2], (408, LATE), "/task too late")
    for bad in ("abc", "-1", "", "1.5", "99999999999"):
        status, _, body = server.ask(f"/task?ms={bad}")
        expect(status, 400, f"/task?ms={bad}")
        assert f"not '{bad}'" in body, body
    expect(server.body("/healthz"), "ok\n", "/healthz")
    expect(server.body("/readyz"), "ready\n", "/readyz")
    expect(server.ask("/nothing")[0], 404, "/nothing")
    expect(server.ask("/hello", "DELETE")[1]["Allow"], "GET, HEAD, OPTIONS", "DELETE /hello")


def reports(server):
    status = server.json("/status")
    expect(status["in_flight"], 0, "in flight, but for the one that asks")
    expect(status["requests"]["timed_out"], 1, "timed out")
    expect(status["leaks"], {"actors": 0, "timers": 0, "asks": 0}, "leaks")
    deadlocks = server.body("/debug/deadlocks")
    assert deadlocks.startswith("no deadlock among "), deadlocks
    flight = server.json("/debug/flight")
    ended = [e for e in flight["events"] if e["what"] == "ended"]
    assert any(e["name"] == "GET /task" for e in ended), flight
    one = server.body(f"/debug/flight?actor={ended[-1]['actor']}", Accept="text/plain")
    assert " ended: normal" in one and " spawned by actor " in one, one
    expect(server.ask("/debug/flight?actor=x")[0], 400, "the events of no actor")
    metrics = server.body("/metrics").splitlines()
    assert "greenroom_http_requests_timed_out_total 1" in metrics, metrics
    assert "# TYPE greenroom_http_requests_in_flight gauge" in metrics, metrics


def jobs(program, folder):
    kept = Path(folder, "jobs.db")
    with Program(program, "--port", "0", "--jobs", kept, "--log-level", "off") as server:
        expect([job["name"] for job in server.json("/jobs")], ["beat", "count-stock", "print-labels", "tidy-up"], "/jobs")
        expect(server.ask("/jobs/print-labels/run", "POST")[0], 200, "run now")
        while not (history := server.json("/jobs/print-labels")["history"]):
            pass
        expect((history[0]["outcome"], history[0]["error"]), ("failed", "the printer is out of paper"), "the run")
        for _ in range(2):
            expect(server.ask("/jobs/tidy-up/run", "POST")[0], 200, "run now")
        while not (history := server.json("/jobs/tidy-up")["history"]):
            pass
        expect(history[0]["error"], "the next run has replaced it", "the run that was replaced")
        expect(server.ask("/jobs/beat/pause", "POST")[0], 200, "pause")
        status, _, body = server.ask("/jobs/nothing/run", "POST")
        expect((status, "there is no job 'nothing'" in body), (404, True), "a job that is not there")
        expect_no_leaks(server)
        expect(server.stop(), (0, ""), "stop")
    with Program(program, "--port", "0", "--jobs", kept, "--log-level", "off") as server:
        expect(server.json("/jobs/beat")["paused"], True, "the pause after a restart")
        expect([run["outcome"] for run in server.json("/jobs/tidy-up")["history"]], ["interrupted", "cancelled"], "the history")
        expect(server.ask("/jobs/beat/resume", "POST")[0], 200, "resume")
        expect(server.ask("/jobs/tidy-up/run", "POST")[0], 200, "run now")
        server.process.kill()
    with Program(program, "--port", "0", "--jobs", kept, "--log-level", "off") as server:
        expect(server.json("/jobs/beat")["paused"], False, "resumed, after a crash")
        last = server.json("/jobs/tidy-up")["history"][0]
        expect((last["number"], last["outcome"]), (3, "interrupted"), "the run that the crash interrupted")
        expect(server.stop(), (0, ""), "stop")
    refused(program, "--port", "0", "--jobs", Path(folder, "missing", "jobs.db"), code=1, sentence="missing")


def expect_no_leaks(server):
    """Jobs work at their own pace and may ask somebody at the moment of a look; what is a leak is there in each."""
    none = {"actors": 0, "timers": 0, "asks": 0}
    for _ in range(200):
        leaks = server.json("/status")["leaks"]
        if leaks == none:
            return
    expect(leaks, none, "leaks")


def shop(program):
    with Program(program, "--port", "0", "--threads", "2", "--crash-every", "2ms", "--log-level", "off") as server:
        graph = server.json("/graph.json")
        kinds = {node["name"] for node in graph["nodes"] if not node["junction"]}
        assert len(kinds) >= 10, kinds
        assert server.body("/graph.dot").startswith('digraph "shop" {'), "no graph"
        for customer in range(1, 6):
            expect(server.ask(f"/orders?customer={customer}&pieces=2&times=2000", "POST")[0], 202, "orders")
            expect(server.ask(f"/refunds?customer={customer}&cents=50", "POST")[0], 202, "a refund")
            expect(server.ask("/orders?pieces=0", "POST")[0], 202, "a bad order")
        for bad in ("orders?customer=4294967303", "orders?customer=2147483647&times=3", "orders?pieces=10001", "orders?pieces=-1",
                    "orders?times=1000001", "orders?times=2x", "refunds?customer=4294967303", "refunds?cents=9223372036854775807"):
            status, _, text = server.ask("/" + bad, "POST")
            expect((status, "must be a whole number from 0 to" in text), (400, True), bad)
        while server.json("/shop")["under_way"] != 0:
            pass
        books = server.json("/shop")
        assert books["conserved"] and books["restarts"] > 0, books
        for node in server.json("/graph.json")["nodes"]:
            for edge in node["inputs"]:
                became = sum(edge[what] for what in ("handled", "failed", "dropped", "in_hand", "queued"))
                expect(became, edge["accepted"], f"items of {edge['name']}")
        taken = next(edge["accepted"] for node in server.json("/graph.json")["nodes"] if node["name"] == "numbers"
                     for edge in node["inputs"])
        expect(taken, 10_005, "orders taken")
        done = books["booked"] + books["rejected"]
        assert taken + 5 - books["lost_in_crashes"] <= done <= taken + 5, books
        expect_no_leaks(server)
        expect(server.stop(), (0, ""), "stop")


def bank(server):
    def order(target, **content):
        return server.ask(target, "POST", json.dumps(content), Content_Type="application/json")

    expect(server.ask("/accounts/nobody")[0], 404, "an account that is not there")
    for key, account in (("1", "world"), ("2", "ann")):
        expect(order("/accounts", key=key, account=account, currency="EUR", may_be_negative=account == "world")[0], 200, account)
    for repeated in (False, True):
        got = json.loads(order("/transfers", **{"key": "3", "from": "world", "to": "ann", "amount": 1999})[2])
        expect((got["moved"], got["repeated"]), (1999, repeated), "a transfer")
    expect(order("/transfers", **{"key": "4", "from": "ann", "to": "world", "amount": 2000})[0], 422, "more than there is")
    expect(server.json("/accounts/ann")["balance"], 1999, "its balance")
    expect([line["change"] for line in server.json("/accounts/ann/statement")], [0, 1999], "its statement")
    expect(len(server.json("/accounts/ann/statement?after=2")), 1, "the rest of it")
    for wrong in ("abc", "-1", "99999999999999999999"):
        expect(server.ask(f"/accounts/ann/statement?after={wrong}")[0], 400, wrong)
    expect(server.json("/totals")[0]["sum"], 0, "all of it")


def quotes(server):
    def ask(query, *statuses):
        got, _, body = server.ask(f"/quotes?{query}")
        assert got in (statuses or (200,)), f"{query}: {got} {body}"
        return json.loads(body)

    within = ask("symbol=X&ms=1500")["quotes"]
    expect([each["service"] for each in within], ["alpha", "beta", "gamma", "slow", "broken"], "services")
    expect([each.get("error") is None for each in within], [True, True, True, False, False], "what came")
    expect(within[3]["error"], "deadline exceeded", "the slow one")
    expect(len(ask("how=first&ms=5000")["quotes"]), 1, "first")
    expect(len(ask("how=quorum&ms=5000")["quotes"]), 3, "quorum")
    for all_of_them in ("how=quorum&least=5&ms=5000", "how=all&ms=5000"):
        ask(all_of_them, 502, 503)  # it is broken; or the breaker has opened
    for bad in ("how=none", "ms=0", "ms=5001", "least=6", "ms=x", "symbol="):
        ask(bad, 400)
    while "circuit breaker 'broken' is open" not in ask("ms=100")["quotes"][4]["error"]:
        pass
def processed(server, target, body=""):
    """Starts a job, follows it to its end, and gives the last event and what it reports then."""
    status, headers, _ = server.ask(target, "POST", body)
    expect(status, 202, target)
    events = server.body(headers["Location"] + "/events")
    return events.strip().splitlines()[-2], server.json(headers["Location"])


def processing(server):
    last, job = processed(server, "/process?bytes=20000000")
    expect((last, job["progress"]["state"], job["progress"]["done"]), ("event: done", "done", 20_000_000), "a job over made-up lines")
    expect((len(job["result"]), sum(line["count"] for line in job["result"])), (100, 20_000_000 // 16), "its result")
    _, job = processed(server, "/process", "ann,1.50\nbob,-2\nann,0.26\n")
    expect(job["result"], [{"key": "ann", "count": 2, "sum": 176, "mean": 88, "least": 26, "greatest": 150},
                           {"key": "bob", "count": 1, "sum": -200, "mean": -200, "least": -200, "greatest": -200}], "a text")
    last, job = processed(server, "/process", "ann,1.50\nann,much\n")
    expect((last, "the line at byte 9, 'ann,much'" in job["error"], "result" in job), ("event: failed", True, False), job)
    _, headers, _ = server.ask("/process?bytes=1000000000", "POST", "")
    expect(server.ask(headers["Location"], "DELETE")[0], 204, "DELETE")
    assert server.body(headers["Location"] + "/events").count("event: cancelled") == 1, "it does not end"
    expect(server.json(headers["Location"])["progress"]["state"], "cancelled", "a cancelled job")
    for bad in ("/process?bytes=1000000001", "/process?bytes=-1", "/process?bytes=x", "/process"):
        expect(server.ask(bad, "POST", "")[0], 400, bad)
    for gone in ("/process/77", "/process/77/events"):
        expect(server.ask(gone)[0], 404, gone)
    expect(server.ask("/process/77", "DELETE")[0], 404, "DELETE")
    expect_no_leaks(server)


def a_client_that_leaves(server):
    with socket.create_connection(server.address.split(":")) as leaving:
        leaving.sendall(b"GET /task?ms=3600000 HTTP/1.1\r\nHost: here\r\n\r\n")
        while server.json("/status")["in_flight"] != 1:
            pass
    while server.json("/status")["in_flight"] != 0:
        pass
    expect(server.json("/status")["requests"]["abandoned"], 1, "abandoned")


class Collector(BaseHTTPRequestHandler):
    """Takes traces in, as an OpenTelemetry collector does."""
    taken = []

    def do_POST(self):
        Collector.taken.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def traced(program):
    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        with Program(program, "--port", "0", "--collector", f"http://127.0.0.1:{collector.server_port}/v1/traces") as server:
            expect(len(server.ask("/hello")[1]["X-Request-Id"]), 32, "X-Request-Id")
            expect_no_leaks(server)
            expect(server.stop(), (0, ""), "stop")
        collector.shutdown()
    spans = [span["name"] for path, told in Collector.taken for scope in told["resourceSpans"][0]["scopeSpans"] for span in scope["spans"]]
    expect({path for path, _ in Collector.taken}, {"/v1/traces"}, "where traces go")
    assert "GET /hello" in spans, spans


def refused(program, *arguments, code, sentence):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30, check=False)
    expect((done.returncode, done.stdout), (code, ""), f"exit code of {arguments}")
    assert done.stderr.startswith("server: ") and sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder, "total")
        with Program(program, "--port", "0", "--threads", "2", "--db", db) as server:
            endpoints(server)
            reports(server)
            bank(server)
            quotes(server)
            a_client_that_leaves(server)
            processing(server)
            refused(program, "--port", server.address.split(":")[1], code=1, sentence=f"{server.address}: ")
            begun = server.json("/status")["requests"]["started"]
            expect(server.stop(), (0, ""), "stop")
        with Program(program, "--port", "0", "--db", db) as server:
            expect(server.json("/status")["requests"]["over_all_runs"], begun + 1, "requests over all runs")
            expect(server.stop(), (0, ""), "stop")
        shop(program)
        jobs(program, folder)
        traced(program)
        refused(program, "--port", "0", "--db", Path(folder, "missing", "total"), code=1, sentence="missing")
        db.write_text("something else\n")
        refused(program, "--port", "0", "--db", db, code=1, sentence="does not hold the number of requests")
        expect(db.read_text(), "something else\n", "a file of somebody else's")
    refused(program, "--port", "70000", code=2, sentence="--port")
    refused(program, "--collector", "here", code=2, sentence="the option address must be a whole http or https address")
    refused(program, "--prot", "80", code=2, sentence="--prot")
    refused(program, "--threads", "0", code=2, sentence="--threads")
    refused(program, "--workers", "many", code=2, sentence="--workers")
    refused(program, "--host", "no.such.address", "--port", "0", code=1, sentence="no.such.address")
    done = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=30, check=True)
    for option in ("--host", "--port", "--threads", "--db", "--step-budget"):
        assert option in done.stdout, f"--help does not explain {option}"


if __name__ == "__main__":
    main()
