"""What the example server's bank promises about kill -9; judged by tools/acceptance/run. 32 clients order transfers, each with a key of its own; the server is killed at random moments and
started again on the same books, and what had no answer is sent once more with the same key."""

import http.client
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from program import Program  # noqa: E402

CLIENTS = 32
KILLS = 100
ACCOUNTS = [f"account {n}" for n in range(8)]


class Client(threading.Thread):
    """Orders until told to stop; what has no answer is sent again, to whichever server is there."""

    def __init__(self, number, place):
        super().__init__(daemon=True)
        self.number, self.place, self.over = number, place, threading.Event()
        self.done, self.refused, self.wrong = {}, 0, []
        self.random = random.Random(number)

    def post(self, connection, order):
        connection.request("POST", "/transfers", json.dumps(order), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def run(self):
        count = 0
        connection, order = None, None
        while True:
            if order is None:
                if self.over.is_set():
                    return
                give, take = self.random.sample(ACCOUNTS, 2)
                count += 1
                order = {"key": f"{self.number}-{count}", "from": give, "to": take, "amount": self.random.randint(1, 500)}
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(*self.place["address"].split(":"), timeout=20)
                status, body = self.post(connection, order)
            except (OSError, http.client.HTTPException, ValueError):
                connection = None
                time.sleep(0.01)
                continue
            if status == 200:
                self.done[order["key"]] = (body["number"], order)
                if body["moved"] != order["amount"]:
                    self.wrong.append((order, body))
            elif status == 422:
                self.refused += 1  # not enough there
            elif status in (429, 503):
                time.sleep(0.01)
                continue
            else:
                self.wrong.append((order, status, body))
            order = None


class BankCrashes:
    """A part of Acceptance, which has `build` and say()."""

    def bank(self):
        with tempfile.TemporaryDirectory() as folder:
            books = Path(folder, "books.db")
            place = {}
            clients = [Client(n, place) for n in range(CLIENTS)]
            slowest = 0.0
            for kill in range(KILLS + 1):
                started = time.monotonic()
                server = Program(self.build / "examples" / "server", "--port", 0, "--ledger", books)
                server.__enter__()
                place["address"] = server.address
                if kill == 0:
                    self.fill(server)
                    for client in clients:
                        client.start()
                else:
                    assert server.json("/totals")[0]["sum"] == 0
                    slowest = max(slowest, time.monotonic() - started)
                if kill < KILLS:
                    time.sleep(random.uniform(0.05, 0.4))
                    server.process.kill()
                    server.process.wait()
                    server.__exit__(None, None, None)
            for client in clients:
                client.over.set()
            for client in clients:
                client.join(60)
            totals = server.json("/totals")[0]
            server.stop()
            server.__exit__(None, None, None)
            self.judge(books, clients, totals, slowest)

    def fill(self, server):
        def post(path, what):
            status, _, body = server.ask(path, "POST", json.dumps(what), Content_Type="application/json")
            assert status == 200, f"{path}: {status} {body}"

        post("/accounts", {"key": "world", "account": "world", "currency": "EUR", "may_be_negative": True})
        for name in ACCOUNTS:
            post("/accounts", {"key": f"open {name}", "account": name, "currency": "EUR"})
            post("/transfers", {"key": f"fill {name}", "from": "world", "to": name, "amount": 10_000})

    def judge(self, books, clients, totals, slowest):
        with sqlite3.connect(books) as db:
            written = {key: (number, content.split("\t")) for number, key, content in db.execute("SELECT number, key, content FROM records")}
            sound = db.execute("PRAGMA integrity_check").fetchone()[0]
        done = {key: value for client in clients for key, value in client.done.items()}
        lost = [key for key, (number, order) in done.items()
                if key not in written or written[key][0] != number
                or written[key][1][:4] != ["transfer", order["from"], order["to"], str(order["amount"])]]
        wrong = [what for client in clients for what in client.wrong]
        doubled = len(written) - len({number for number, _ in written.values()})
        balances = {}
        for _, (what, give, take, amount, *_) in written.values():
            if what == "transfer":
                balances[give] = balances.get(give, 0) - int(amount)
                balances[take] = balances.get(take, 0) + int(amount)
        below = [name for name, balance in balances.items() if balance < 0 and name != "world"]
        self.say(not lost and not wrong and doubled == 0,
                 f"kill -9 at {KILLS} random moments under {CLIENTS} clients: what was acknowledged is there once",
                 f"{len(done)} acknowledged, {sum(c.refused for c in clients)} refused, {len(lost)} lost, {doubled} doubled, {len(wrong)} wrong {wrong[:2]}")
        self.say(totals["sum"] == 0 and totals["negative"] == 0 and not below and sound == "ok",
                 "no money is made or lost, no account is below zero, the file is sound", f"sum {totals['sum']}, {len(below)} below zero, {sound}")
        self.say(slowest <= 2, "it serves again within 2 s", f"{slowest:.2f} s at most")
