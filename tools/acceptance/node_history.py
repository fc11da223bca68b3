#!/usr/bin/env python3
"""Judges what clients have seen of a bank and a queue at another node: tools/acceptance/node_history.py [--books FILE] HISTORY...

A history has one JSON object a line. Each operation has an id of its own, a line when it is invoked and at most one with its outcome:

    {"t": 1.0, "client": "a", "op": "transfer", "id": "a-t1-1", "phase": "invoke", "from": "x", "to": "y", "cents": 5}
    {"t": 1.1, "client": "a", "op": "transfer", "id": "a-t1-1", "phase": "ok"}

`refused`: it was not done. `unknown`, and no outcome at all: it was done once or not at all. What is judged:

- read: a snapshot of all accounts. Its sum never changes, and nobody owes.
- the last read: each account has what the transfers that are `ok` say, give or take those that are `unknown`.
- put and take: no item is taken twice, or that nobody put. Every acknowledged item is taken in the end (the last take found nothing), unless a
  take whose outcome is unknown can have taken it. What one client put and one client took is in order.

With the books that the bank wrote, each of these is checked one by one: what was acknowledged is there once, what was refused is not there, and
what is unknown is there once at most.
"""

import argparse
import collections
import json
import sys
from pathlib import Path

INITIAL = {f"account {n}": 100_000 for n in range(8)}


class Operations:
    """The lines of all histories as one operation each, and what is wrong with the lines."""

    def __init__(self, lines):
        self.all, self.faults = {}, []
        for line in sorted(lines, key=lambda each: each["t"]):
            key = line["id"]
            if line["phase"] == "invoke":
                if key in self.all:
                    self.faults.append(f"{key} is invoked twice")
                self.all[key] = {**line, "phase": "unknown", "known": False, "began": line["t"]}
            elif key not in self.all:
                self.faults.append(f"{key} has an outcome and was not invoked")
            elif self.all[key]["known"]:
                self.faults.append(f"{key} has two outcomes")
            else:
                self.all[key].update(line, known=True)

    def of(self, op, *phases):
        return [each for each in self.all.values() if each["op"] == op and (not phases or each["phase"] in phases)]


def judge_bank(operations, initial):
    right = sum(initial.values())
    reads = sorted(operations.of("read", "ok"), key=lambda each: each["t"])
    for read in reads:
        balances = read["balances"]
        if sum(balances.values()) != right:
            yield f"{read['id']} sums to {sum(balances.values())}, and {right} is right"
        for account, cents in balances.items():
            if cents < 0:
                yield f"{read['id']} sees {account} at {cents}, and nobody may owe"
    if not reads:
        yield "nothing was read"
        return
    low, high = dict(initial), dict(initial)
    for transfer in operations.of("transfer", "ok", "unknown"):
        give, take, cents = transfer["from"], transfer["to"], transfer["cents"]
        low[give] -= cents
        high[take] += cents
        if transfer["phase"] == "ok":
            high[give] -= cents
            low[take] += cents
    for account, cents in reads[-1]["balances"].items():
        if not low[account] <= cents <= high[account]:
            yield f"{account} ends at {cents}, and what was acknowledged leaves it between {low[account]} and {high[account]}"


def judge_queue(operations):
    puts = {each["id"]: each for each in operations.of("put")}
    takes = sorted(operations.of("take", "ok"), key=lambda each: each["t"])
    taken = collections.Counter(each["item"] for each in takes if each["item"])
    for item, times in taken.items():
        if times > 1:
            yield f"{item} was taken {times} times"
        if item not in puts:
            yield f"{item} was taken and never put"
        elif puts[item]["phase"] == "refused":
            yield f"{item} was taken though it was refused"
    if not takes or takes[-1]["item"]:
        yield "the queue was not taken empty in the end"
    missing = [each["id"] for each in puts.values() if each["phase"] == "ok" and each["id"] not in taken]
    swallowed = len(operations.of("take", "unknown"))
    if len(missing) > swallowed:
        yield f"{len(missing)} acknowledged items are lost, and {swallowed} unknown takes can have had them: {missing[:5]}"
    yield from judge_order(puts, takes)


def judge_order(puts, takes):
    """One client puts one item after the other, and another client takes one after the other."""
    last = {}
    for take in takes:
        put = puts.get(take["item"])
        if put is None or put["phase"] != "ok":
            continue  # one that is unknown may have come late
        key = (put["client"], take["client"])
        if key in last and last[key]["began"] > put["began"]:
            yield f"{take['client']} took {put['id']} behind {last[key]['id']}, which was put later"
        last[key] = put


def judge_books(operations, books, initial):
    """Against what the bank itself wrote, in its order: [what, id, ...]."""
    written = collections.Counter((what, key) for what, key, *_ in books)
    for (what, key), times in written.items():
        if times > 1:
            yield f"{what} {key} was done {times} times"
        if key not in operations.all:
            yield f"{what} {key} was done and never asked for"
    for each in operations.all.values():
        there = (each["op"], each["id"]) in written
        empty = each["op"] == "take" and not each.get("item")
        if each["op"] != "read" and not empty and each["phase"] == "ok" and not there:
            yield f"{each['op']} {each['id']} was acknowledged and is not in the books"
        if each["phase"] == "refused" and there:
            yield f"{each['op']} {each['id']} was refused and is in the books"
    balances, items = dict(initial), {}
    for what, key, *rest in books:
        if what == "transfer":
            give, take, cents = rest
            balances[give] -= int(cents)
            balances[take] += int(cents)
        elif what == "take":
            items[key] = rest[0]
    reads = sorted(operations.of("read", "ok"), key=lambda each: each["t"])
    if reads and reads[-1]["balances"] != balances:
        yield f"the last read has {reads[-1]['balances']}, and the books {balances}"
    for take in operations.of("take", "ok"):
        if take["item"] and items.get(take["id"], take["item"]) != take["item"]:
            yield f"{take['id']} got {take['item']}, and the books say {items[take['id']]}"
    known = {each["item"] for each in operations.of("take", "ok")}
    gone = set(items.values())
    for put in operations.of("put", "ok"):
        if put["id"] not in known and put["id"] not in gone:
            yield f"{put['id']} was acknowledged, and nobody took it"


def judge(lines, books=None, initial=None):
    """Returns what is wrong, as sentences; nothing if all is right."""
    initial = INITIAL if initial is None else initial
    operations = Operations(lines)
    faults = operations.faults + list(judge_bank(operations, initial)) + list(judge_queue(operations))
    if books is not None:
        faults += judge_books(operations, books, initial)
    return faults


def counts(lines):
    """How many operations ended how, for people."""
    operations = Operations(lines)
    return {op: {phase: len(operations.of(op, phase)) for phase in ("ok", "refused", "unknown")}
            for op in ("transfer", "put", "take", "read")}


def read_history(path):
    """Whoever was killed has left a last line that may be half."""
    lines = []
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def read_books(path):
    return [line.split("\t") for line in Path(path).read_text(encoding="utf-8").splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("histories", nargs="+", metavar="HISTORY")
    parser.add_argument("--books", help="what the bank wrote")
    arguments = parser.parse_args()
    lines = [line for path in arguments.histories for line in read_history(path)]
    faults = judge(lines, read_books(arguments.books) if arguments.books else None)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults in {counts(lines)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
