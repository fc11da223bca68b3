#!/usr/bin/env python3
"""What nodes promise about faults: one with a bank and a queue, two clients that use it, each on a host of its own, between which the network is broken in all the ways it
breaks. Judged by tools/acceptance/run, or by itself:

    tools/acceptance/node_faults.py [--build build/release] [--long] [--seed N] [--seconds N] [--plain] [--fault TEXT]

Hosts are network namespaces, for which it must be root; where that is not allowed, or with --plain, they are processes on loopback, which can
only be stopped and killed. First each fault by itself (for 7 seconds; for 30 with --long), then faults at random (for --seconds; the seed is
printed and repeats the choice). In the end the histories of the clients are judged by node_history.py.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import node_history  # noqa: E402
from node_network import Network, NotAllowed  # noqa: E402

HEARTBEAT, DETECTION = 0.5, 2.0  # the defaults of node_options
ALLOWED = DETECTION + HEARTBEAT + 0.25  # for the machine to notice
USABLE = 5.0
GROWTH = 24 << 20  # bytes that a process may grow during one fault


class Process:
    """One node; its events are kept as they come."""

    def __init__(self, command, log):
        self.events, self.lock = [], threading.Lock()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        self.pid = self.process.pid  # `ip netns exec` becomes the program
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # it was killed within a line
            with self.lock:
                self.events.append(event)

    def of(self, what, since=0.0):
        with self.lock:
            return [each for each in self.events if each["event"] == what and each["t"] >= since]

    def first(self, what, limit=10.0):
        until = time.monotonic() + limit
        while time.monotonic() < until:
            found = self.of(what)
            if found:
                return found[0]
            time.sleep(0.01)
        raise AssertionError(f"no {what!r} within {limit} s")

    def resident(self):
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, limit=30):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        return self.wait(limit)

    def wait(self, limit=30):
        code = self.process.wait(limit)
        self.reader.join()
        return code


class Stage:
    """The bank and its clients, and what can be done to them."""

    CLIENTS = ("a", "b")

    def __init__(self, build, folder, network):
        self.program, self.folder, self.network = Path(build) / "tools/acceptance/node_faults/node_faults", Path(folder), network
        self.addresses = {name: network.hosts[name].address if network else "127.0.0.1" for name in ("bank", *self.CLIENTS)}
        self.port, self.log, self.run = 0, None, {}
        self.gone = []  # banks that were killed

    def __enter__(self):
        self.log = open(self.folder / "log", "w", encoding="utf-8")  # pylint: disable=consider-using-with
        names = [f"{name}=IP:{address}" for name, address in {**self.addresses, "last": "127.0.0.1"}.items()]
        subprocess.run([HERE.parent / "node_certificates", self.folder / "keys", *names], stdout=self.log, stderr=self.log, check=True)
        self.start_bank()
        for name in self.CLIENTS:
            self.run[name] = self.start("client", name, f"{name}.history")
        for name in self.CLIENTS:
            self.run[name].first("up")
        return self

    def __exit__(self, *why):
        for each in self.run.values():
            if each.process.poll() is None:
                each.process.kill()
            each.process.wait()
        self.log.close()

    def start(self, role, name, file):
        words = [self.program, role, name, self.addresses["bank"], self.port, self.folder / file, self.folder / "keys"]
        host = {"last": "a"}.get(name, name)
        command = self.network.hosts[host].command(*words) if self.network else [str(word) for word in words]
        return Process(command, self.log)

    def start_bank(self):
        self.run["bank"] = self.start("bank", "bank", "books")
        self.port = self.run["bank"].first("listening")["port"]

    def kill_bank(self):
        self.run["bank"].process.kill()
        self.run["bank"].end()
        self.gone.append(self.run["bank"])

    def banks(self):
        return [*self.gone, self.run["bank"]]

    def good_transfers(self, name, since):
        """When the client's transfers were acknowledged."""
        lines = node_history.read_history(self.folder / f"{name}.history")
        return sorted(each["t"] for each in lines if each["op"] == "transfer" and each["phase"] == "ok" and each["t"] >= since)

    def usable_since(self, since, limit=20.0):
        """How long each client took to have an answer again; the limit if it had none."""
        until = since + limit
        while True:
            first = [self.good_transfers(name, since)[:1] for name in self.CLIENTS]
            if all(first):
                return max(each[0] for each in first) - since
            if time.monotonic() > until:
                return limit
            time.sleep(0.05)


class Memory(threading.Thread):
    """The most that each process grew."""

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.over = stage, threading.Event()
        self.first = {name: (each, each.resident()) for name, each in stage.run.items()}
        self.grown = 0

    def run(self):
        while not self.over.wait(0.1):
            for process, before in self.first.values():
                self.grown = max(self.grown, process.resident() - before)

    def stop(self):
        self.over.set()
        self.join()
        return self.grown


class Fault:
    """A way to break things: `begin` is called with the stage and a client, `heal` with the stage. Which clients must notice it, and which may,
    when it is client a; all others must not. `long` ones are not drawn at random."""

    def __init__(self, name, begin, heal, noticed_by=("a",), may=(), long=False):
        self.name, self.begin, self.heal, self.noticed_by, self.may, self.long = name, begin, heal, noticed_by, may, long


def healed(stage):
    stage.network.heal()


def between(loss=0.0, delay=0.0, to_bank=True, from_bank=True):
    def begin(stage, client):
        ways = [(client, "bank")] * to_bank + [("bank", client)] * from_bank
        for way in ways:
            stage.network.ways[way].loss, stage.network.ways[way].delay = loss, delay
    return begin


def flapping(down, up, times):
    """Ends up."""
    def begin(stage, client):
        for _ in range(times):
            stage.network.between(client, "bank", loss=1.0)
            time.sleep(down)
            stage.network.heal()
            time.sleep(up)
    return begin


def slow_start(stage, client):
    """The connection is lost, and the next one is made over a slow line."""
    stage.network.between(client, "bank", loss=1.0)
    time.sleep(DETECTION + HEARTBEAT)
    stage.network.between(client, "bank", delay=0.5)


def send(number, to=None):
    def do(stage, client=None):
        for each in stage.run.values() if to is None and client is None else [stage.run[to or client]]:
            each.send(number)
    return do


NETWORK_FAULTS = [
    Fault("the link is down", lambda stage, client: stage.network.hosts[client].cable(False), healed),
    Fault("all frames are lost, both ways", between(loss=1.0), healed),
    Fault("all frames to the bank are lost", between(loss=1.0, from_bank=False), healed),
    Fault("all frames from the bank are lost", between(loss=1.0, to_bank=False), healed),
    Fault("10 % of frames are lost", between(loss=0.1), healed, (), ("a",)),
    Fault("500 ms delay, both ways", between(delay=0.5), healed, ()),
    Fault("connecting with 500 ms delay, both ways", slow_start, healed, long=True),
    Fault("flapping, 0.7 s down and 0.7 s up", flapping(0.7, 0.7, 5), healed, (), ("a",), True),
    Fault("flapping, 2.5 s down and 1.5 s up", flapping(2.5, 1.5, 3), healed, long=True),
]
PROCESS_FAULTS = [
    Fault("SIGSTOP of the bank", send(signal.SIGSTOP, "bank"), send(signal.SIGCONT, "bank"), ("a", "b")),
    Fault("SIGSTOP of a client", send(signal.SIGSTOP), send(signal.SIGCONT), (), ("a",)),
    Fault("kill -9 of the bank, and a restart", lambda stage, client: stage.kill_bank(), Stage.start_bank, ("a", "b")),
]


class NodeFaults:
    """A part of Acceptance, which has `build` and say()."""

    def nodes(self, hold=7.0, seconds=40.0, seed=None, plain=False, only=""):
        seed = random.randrange(10**6) if seed is None else seed
        with tempfile.TemporaryDirectory() as folder:
            network = None if plain else self.network(seed)
            try:
                with Stage(self.build, folder, network) as stage:
                    self.play(stage, hold, seconds, seed, only)
            finally:
                if network:
                    network.__exit__()

    def network(self, seed):
        try:
            return Network(["bank", "a", "b"], seed).__enter__()
        except NotAllowed as why:
            print(f"        nodes: plain processes on loopback, since there can be no namespaces here ({why})", flush=True)
            return None

    def play(self, stage, hold, seconds, seed, only):
        faults = [each for each in (NETWORK_FAULTS if stage.network else []) + PROCESS_FAULTS if only in each.name]
        began = time.monotonic()
        time.sleep(2)
        for fault in faults:
            self.one_fault(stage, fault, hold)
        grown, done = self.random_faults(stage, faults, seconds, random.Random(seed))
        usable = stage.usable_since(time.monotonic())
        self.say(usable <= USABLE and grown <= GROWTH, f"faults at random for {seconds:.0f} s (seed {seed}): usable within {USABLE:.0f} s of the last, memory bounded",
                 f"{done} faults, {usable:.2f} s, {grown / (1 << 20):.1f} MiB more at most")
        self.judge_streams(stage, began)
        self.judge_history(stage)

    # -- one at a time

    def one_fault(self, stage, fault, hold):
        memory = Memory(stage)
        memory.start()
        began = time.monotonic()
        fault.begin(stage, "a")
        time.sleep(max(0.0, began + hold - time.monotonic()))
        fault.heal(stage)
        healed_at = time.monotonic()
        usable = stage.usable_since(healed_at)
        time.sleep(1.0)
        grown = memory.stop()
        told = {name: stage.run[name].of("down", began) for name in stage.CLIENTS}
        first = [each["at"] - began for name in fault.noticed_by for each in told[name]
                 if each["at"] == min(one["at"] for one in told[name] if one["monitor"] == each["monitor"])]
        noticed = len(first) == 3 * len(fault.noticed_by) and all(0 <= each <= ALLOWED for each in first)
        once = all(each["notices"] == 1 for events in told.values() for each in events)
        alike = all(len({sum(one["monitor"] == monitor for one in events) for monitor in range(3)}) == 1 for events in told.values())
        wrongly = [name for name, events in told.items() if events and name not in (*fault.noticed_by, *fault.may)]
        what = f"noticed after {max(first):.2f} s" if first else "not noticed" if not any(told.values()) else "noticed"
        downs = ", ".join(f"{name} {len(events) / 3:g}" for name, events in told.items() if events)
        self.say(noticed and once and alike and not wrongly and usable <= USABLE and grown <= GROWTH,
                 f"{fault.name}: noticed within {ALLOWED:g} s where it must be, one notice for each monitor, usable within {USABLE:g} s, memory bounded",
                 f"{what}, down {downs or 'never'}, usable after {usable:.2f} s, {grown / (1 << 20):.1f} MiB more at most"
                 + "".join(f"; {name} noticed, too: {told[name][0]['why']}" for name in wrongly) + ("" if once and alike else f"; {told}"))
        if fault.noticed_by == ("a",):
            gaps = stage.good_transfers("b", began)
            longest = max((later - earlier for earlier, later in zip(gaps, gaps[1:])), default=99.0)
            self.say(longest <= 1.0, "    the other client goes on meanwhile", f"no answer for {longest:.2f} s at most")

    # -- many

    def random_faults(self, stage, faults, seconds, draw):
        memory = Memory(stage)
        memory.start()
        until, done, faults = time.monotonic() + seconds, 0, [each for each in faults if not each.long]
        while time.monotonic() < until:
            together = draw.sample(faults, draw.choice((1, 1, 2)))
            for fault in together:
                fault.begin(stage, draw.choice(stage.CLIENTS))
                time.sleep(draw.uniform(0.0, 1.0))
            time.sleep(draw.choice((0.3, 1.8, 2.2, 4.0)) * draw.uniform(0.8, 1.2))  # about the time of detection, too
            for fault in together:
                fault.heal(stage)
            time.sleep(draw.uniform(0.0, 3.0))
            done += len(together)
        return memory.stop(), done

    # -- the end

    def judge_streams(self, stage, began):
        time.sleep(2)
        wrong = [event for each in stage.banks() for event in each.of("disorder")]
        closed = [event for name in stage.CLIENTS for event in stage.run[name].of("closed")]
        now = time.monotonic()
        come = {(event["stream"], event["sender"]): event for event in stage.run["bank"].of("numbers", now - 1.5)}
        counts = ", ".join(f"{stream} {sender} {event['last']:,}" for (stream, sender), event in sorted(come.items()))
        self.say(not wrong and not closed and len(come) == 4, "numbered streams: none doubled, each in order, all go on in the end",
                 f"{len(wrong)} out of order{wrong[:2] if wrong else ''}, {counts} after {now - began:.0f} s{closed if closed else ''}")

    def judge_history(self, stage):
        codes = [stage.run[name].end() for name in stage.CLIENTS]
        last = stage.start("last", "last", "last.history").wait()
        bank = stage.run["bank"].end()
        lines = [line for path in stage.folder.glob("*.history") for line in node_history.read_history(path)]
        faults = node_history.judge(lines, node_history.read_books(stage.folder / "books"))
        self.say(not faults and not any((*codes, last, bank)), "the history: the bank's total is constant, no item is doubled, no acknowledged one lost",
                 f"{node_history.counts(lines)}, {len(faults)} faults {faults[:3] if faults else ''}, exit codes {codes}, {last}, {bank}")


class Alone(NodeFaults):
    def __init__(self, build):
        self.build, self.broken = Path(build), 0

    def say(self, kept, promise, measured):
        self.broken += not kept
        print(f"{'kept  ' if kept else 'BROKEN'}  {promise}: {measured}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=HERE.parents[1] / "build" / "release")
    parser.add_argument("--long", action="store_true", help="each fault for 30 s, and 300 s of faults at random")
    parser.add_argument("--seed", type=int, help="of the faults at random")
    parser.add_argument("--seconds", type=float, help="of faults at random")
    parser.add_argument("--plain", action="store_true", help="processes on loopback")
    parser.add_argument("--fault", default="", metavar="TEXT", help="only those whose names have it")
    arguments = parser.parse_args()
    alone = Alone(arguments.build)
    seconds = arguments.seconds if arguments.seconds is not None else 300.0 if arguments.long else 40.0
    alone.nodes(30.0 if arguments.long else 7.0, seconds, arguments.seed, arguments.plain, arguments.fault)
    return 1 if alone.broken else 0


if __name__ == "__main__":
    sys.exit(main())
