"""What the example server promises about time, load and stops; judged by tools/acceptance/run."""

import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from program import Program  # noqa: E402

LATE = "Request canceled: context deadline exceeded\n"


def until(condition, limit):
    """Seconds until the condition held; infinity if it did not within the limit."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > limit:
            return float("inf")
        time.sleep(0.002)
    return time.monotonic() - started


class HttpPromises:
    """A part of Acceptance, which has `build`, say() and json_line()."""

    def server(self, *arguments):
        return Program(self.build / "examples" / "server", "--port", 0, *arguments)

    def time_out(self):
        def late(server):
            started = time.monotonic()
            answer = server.ask("/task?ms=5000")
            return time.monotonic() - started, (answer[0], answer[2]) == (408, LATE)

        with self.server() as server:
            self.say(server.body("/hello") == "Hello, World!", "/hello gives 13 bytes", "it does")
            self.say(server.ask("/task?ms=100")[0] == 200, "/task?ms=100 gives 200", "it does")
            seconds, right = late(server)
            self.say(right and 2.0 <= seconds <= 2.05, "/task?ms=5000: 408 after 2.00 to 2.05 s", f"{seconds:.4f} s")
            with ThreadPoolExecutor(200) as pool:
                list(pool.map(lambda _: server.body("/hello"), range(400)))  # the threads stand
                answers = list(pool.map(lambda _: late(server), range(200)))
                empty = until(lambda: server.json("/status")["in_flight"] == 0, 1)
            times = [seconds for seconds, _ in answers]
            kept = all(right for _, right in answers) and 2.0 <= min(times) and max(times) <= 2.05
            self.say(kept, "200 of them at once, all in that window", f"{min(times):.4f} to {max(times):.4f} s")
            self.say(empty <= 0.1, "in_flight is 0 within 0.1 s after the last", f"{empty:.4f} s")
            leaks = server.json("/status")["leaks"]
            self.say(not any(leaks.values()), "nothing is left behind", json.dumps(leaks))

    def client_leaves(self):
        with self.server() as server:
            gone = []
            for _ in range(10):
                with socket.create_connection(server.address.split(":")) as leaving:
                    leaving.sendall(b"GET /task?ms=8000 HTTP/1.1\r\nHost: here\r\n\r\n")
                    until(lambda: server.json("/status")["in_flight"] == 1, 1)
                gone.append(until(lambda: server.json("/status")["in_flight"] == 0, 1))
            self.say(max(gone) <= 0.1, "a client that leaves during /task?ms=8000: in_flight 0 within 0.1 s",
                     f"at most {max(gone):.4f} s in 10 runs")

    def stop_under_load(self):
        lost = []
        codes = []
        for run in range(10):
            with tempfile.TemporaryDirectory() as folder:
                total = Path(folder, "total")
                with self.server("--db", total) as server:
                    path = "/hello" if run % 2 == 0 else "/task?ms=5"
                    command = ["wrk", "-t", "1", "-c", "64", "-d", "2s", server.url + path]
                    load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                    time.sleep(random.uniform(0.4, 1.4))
                    codes.append(server.stop()[0])
                    printed, _ = load.communicate(timeout=30)
                answered = int(printed.split(" requests in")[0].split()[-1])
                lost.append(int(total.read_text().split()[1]) - answered)
        self.say(set(codes) == {0} and not any(lost), "SIGTERM under wrk, 10 runs: exit code 0, no request that was begun is lost",
                 f"exit codes {sorted(set(codes))}, lost {lost}")

    def storm(self):
        got = self.json_line("acceptance/acceptance", "http_storm", 1_000_000, timeout=900)
        zero = all(got[name] == 0 for name in ("wrong", "in_flight", "connections_open", "timers", "asks"))
        kept = got["ok"] and zero and got["actors"] == 1 and got["grown_bytes"] <= 8 << 20  # the actor: the acceptor
        self.say(kept, "10^6 requests with random time-outs, leaves, throws and garbage: no counter is left, memory flat (<= 8 MiB)",
                 json.dumps(got))

    def beside_go(self):
        lines = self.build / "http.jsonl"
        done = subprocess.run([Path(__file__).parents[1] / "bench" / "compare_http", "hello", "--json", lines, "--build", self.build],
                              capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0 or "go version" not in done.stdout:
            self.say(False, "throughput beside Go net/http", "not measured: " + (done.stderr.strip() or "no Go here"))
            return
        runs = [json.loads(line) for line in lines.read_text().splitlines()]
        for threads in (1, 2):
            rate, cpu = {}, {}
            for lang in ("greenroom", "go"):
                own = [r for r in runs if (r["lang"], r["threads"]) == (lang, threads)]
                rate[lang] = statistics.median(r["n"] / r["seconds"] for r in own)
                cpu[lang] = statistics.median(1e6 * r["cpu_seconds"] / r["n"] for r in own)
            kept = rate["greenroom"] >= rate["go"] and cpu["greenroom"] <= cpu["go"]
            self.say(kept, f"/hello on {threads} thread(s): Go's requests/s at no more CPU a request",
                     f"{rate['greenroom']:,.0f}/s at {cpu['greenroom']:.2f} us, Go {rate['go']:,.0f}/s at {cpu['go']:.2f} us")
