"""What the graph page promises while its service works; judged by tools/acceptance/run. The example server's shop is given orders, with
and without somebody who watches it as the page does, in pairs that follow one another, so that a machine that drifts falls on both sides."""

import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from program import Program  # noqa: E402

BATCH = 2  # times a million orders: some seconds, so that the watcher asks once a second, as the page does
PAIRS = 20
LOOKS = 1_000


class Watcher(threading.Thread):
    """Asks for what the page asks for, at its pace, and notes how long each answer takes."""

    def __init__(self, server, pace=1.0):
        super().__init__(daemon=True)
        self.server, self.pace, self.times, self.over = server, pace, [], threading.Event()

    def run(self):
        while True:
            for path in ("/graph.json", "/graph/actor.json?node=ledger"):
                started = time.monotonic()
                status, _, body = self.server.ask(path)
                self.times.append(time.monotonic() - started)
                assert status == 200 and '"nodes"' in body, f"{path}: {status}"
            if self.over.wait(self.pace):
                return

    def end(self):
        self.over.set()
        self.join(30)
        return self.times


def cpu_seconds(server):
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def work(server, watched):
    """Seconds, and seconds of CPU, for a batch of orders; and how long the watcher's answers took."""
    watcher = Watcher(server) if watched else None
    started, cpu = time.monotonic(), cpu_seconds(server)
    if watcher:
        watcher.start()
    for _ in range(BATCH):
        status = server.ask("/orders?customer=1&pieces=1&times=1000000", "POST")[0]
        assert status == 202, status
    spent = time.monotonic() - started, cpu_seconds(server) - cpu
    return (*spent, watcher.end() if watcher else [])


class GraphPage:
    def graph_page(self):
        answers, walls, cpus = [], [], []
        with Program(str(self.build / "examples" / "server"), "--port", "0", "--threads", "2", "--log-level", "warn") as server:
            work(server, True)
            for pair in range(PAIRS):
                order = (True, False) if pair % 2 else (False, True)
                spent = {watched: work(server, watched) for watched in order}
                walls.append(spent[True][0] / spent[False][0])
                cpus.append(spent[True][1] / spent[False][1])
                answers += spent[True][2]
            before = cpu_seconds(server)
            for _ in range(LOOKS):
                server.ask("/graph.json")
            look = (cpu_seconds(server) - before) / LOOKS
            server.stop()
        median = statistics.median
        error = 1.25 * statistics.stdev(walls) / len(walls) ** 0.5
        self.say(median(walls) - error < 1.01, "a service that is watched on the graph page loses < 1 % throughput",
                 f"{100 * (median(walls) - 1):+.2f} % time (+- {100 * error:.2f}), {100 * (median(cpus) - 1):+.2f} % CPU, {PAIRS} pairs; "
                 f"a look, once a second, takes {1e6 * look:.0f} us of CPU")
        self.say(max(answers) < 0.1, "the page's questions are answered within 100 ms under load",
                 f"median {1e3 * median(answers):.1f} ms, longest {1e3 * max(answers):.1f} ms of {len(answers)}")
