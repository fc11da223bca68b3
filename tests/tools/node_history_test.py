"""Tests of tools/acceptance/node_history.py: histories that must be judged wrong, each by its sentence, and right ones beside them."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "acceptance"))
import node_history  # noqa: E402

INITIAL = {"x": 100, "y": 100}


class Made:
    """A history, line by line."""

    def __init__(self):
        self.lines, self.time = [], 0

    def say(self, op, key, phase, client="a", **more):
        self.time += 1
        self.lines.append({"t": self.time, "client": client, "op": op, "id": key, "phase": phase, **more})
        return self

    def done(self, op, key, phase="ok", client="a", asked=None, **answer):
        self.say(op, key, "invoke", client, **(asked or {}))
        return self if phase == "none" else self.say(op, key, phase, client, **answer)

    def transfer(self, key, cents, phase="ok", give="x", take="y"):
        return self.done("transfer", key, phase, asked={"from": give, "to": take, "cents": cents})

    def put(self, key, phase="ok", client="a"):
        return self.done("put", key, phase, client)

    def take(self, key, item, phase="ok", client="b"):
        return self.done("take", key, phase, client, **({"item": item} if phase == "ok" else {}))

    def read(self, key="r", **balances):
        return self.done("read", key, balances=balances)

    def end(self, x=100, y=100):
        """What each run ends with."""
        return self.take("last", "", client="last").read("last read", x=x, y=y)

    def faults(self, books=None):
        return node_history.judge(self.lines, books, INITIAL)


class NodeHistory(unittest.TestCase):
    def right(self, made, books=None):
        self.assertEqual(made.faults(books), [])

    def wrong(self, made, sentence, books=None):
        faults = made.faults(books)
        self.assertTrue(any(sentence in fault for fault in faults), f"{sentence!r} is not in {faults}")

    # -- the bank

    def test_a_right_run_is_right(self):
        self.right(Made().transfer("t1", 30).read("r1", x=70, y=130).transfer("t2", 500, "refused").put("p1").take("k1", "p1").end(70, 130),
                   [["transfer", "t1", "x", "y", "30"], ["put", "p1"], ["take", "k1", "p1"]])

    def test_an_unknown_transfer_may_be_done_or_not(self):
        self.right(Made().transfer("t1", 30, "unknown").end(70, 130))
        self.right(Made().transfer("t1", 30, "unknown").end(100, 100))
        self.right(Made().transfer("t1", 30, "none").end(70, 130))

    def test_a_wrong_total_is_seen(self):
        self.wrong(Made().transfer("t1", 30).read("r1", x=70, y=100).end(70, 130), "r1 sums to 170, and 200 is right")

    def test_a_debt_is_seen(self):
        self.wrong(Made().read("r1", x=-1, y=201).end(), "r1 sees x at -1")

    def test_an_acknowledged_transfer_that_is_lost_is_seen(self):
        self.wrong(Made().transfer("t1", 30).end(100, 100), "x ends at 100")

    def test_a_transfer_that_was_done_twice_is_seen(self):
        self.wrong(Made().transfer("t1", 30).end(40, 160), "y ends at 160")
        self.wrong(Made().transfer("t1", 30, "unknown").end(40, 160), "y ends at 160")

    def test_a_refused_transfer_that_was_done_is_seen(self):
        self.wrong(Made().transfer("t1", 30, "refused").end(70, 130), "x ends at 70")

    def test_a_run_without_a_read_is_not_taken_for_right(self):
        self.wrong(Made().take("last", ""), "nothing was read")

    # -- the queue

    def test_an_acknowledged_item_that_is_lost_is_seen(self):
        self.wrong(Made().put("p1").put("p2").take("k1", "p1").end(), "1 acknowledged items are lost, and 0 unknown takes")

    def test_an_unknown_take_may_have_had_one_item_and_no_more(self):
        self.right(Made().put("p1").take("k1", None, "unknown").end())
        self.wrong(Made().put("p1").put("p2").take("k1", None, "unknown").end(), "2 acknowledged items are lost, and 1 unknown takes")

    def test_an_unknown_put_may_be_there_or_not(self):
        self.right(Made().put("p1", "unknown").end())
        self.right(Made().put("p1", "unknown").take("k1", "p1").end())

    def test_a_doubled_item_is_seen(self):
        self.wrong(Made().put("p1").take("k1", "p1").take("k2", "p1").end(), "p1 was taken 2 times")
        self.wrong(Made().put("p1", "unknown").take("k1", "p1").take("k2", "p1", client="c").end(), "p1 was taken 2 times")

    def test_an_item_from_nowhere_is_seen(self):
        self.wrong(Made().take("k1", "p9").end(), "p9 was taken and never put")

    def test_a_refused_item_that_is_there_is_seen(self):
        self.wrong(Made().put("p1", "refused").take("k1", "p1").end(), "p1 was taken though it was refused")

    def test_items_in_another_order_are_seen(self):
        self.wrong(Made().put("p1").put("p2").take("k1", "p2").take("k2", "p1").end(), "b took p1 behind p2")
        self.right(Made().put("p1", client="a").put("p2", client="c").take("k1", "p2").take("k2", "p1").end())

    def test_a_queue_that_was_not_taken_empty_is_not_taken_for_right(self):
        self.wrong(Made().put("p1").take("k1", "p1").read(x=100, y=100), "not taken empty")

    # -- the books

    def test_what_the_books_have_twice_is_seen(self):
        self.wrong(Made().transfer("t1", 0).end(), "transfer t1 was done 2 times", [["transfer", "t1", "x", "y", "0"]] * 2)

    def test_what_the_books_do_not_have_is_seen(self):
        self.wrong(Made().transfer("t1", 0).end(), "transfer t1 was acknowledged and is not in the books", [])
        self.right(Made().transfer("t1", 0, "unknown").end(), [])

    def test_what_was_refused_and_is_in_the_books_is_seen(self):
        self.wrong(Made().transfer("t1", 0, "refused").end(), "transfer t1 was refused and is in the books", [["transfer", "t1", "x", "y", "0"]])

    def test_what_nobody_asked_for_is_seen(self):
        self.wrong(Made().end(), "transfer t9 was done and never asked for", [["transfer", "t9", "x", "y", "0"]])

    def test_another_balance_than_that_of_the_books_is_seen(self):
        self.wrong(Made().transfer("t1", 30, "unknown").end(100, 100), "the last read has", [["transfer", "t1", "x", "y", "30"]])

    def test_an_item_that_the_books_gave_to_nobody_is_seen(self):
        self.wrong(Made().put("p1").take("k1", None, "unknown").end(), "p1 was acknowledged, and nobody took it", [["put", "p1"]])
        self.right(Made().put("p1").take("k1", None, "unknown").end(), [["put", "p1"], ["take", "k1", "p1"]])

    def test_another_item_than_that_of_the_books_is_seen(self):
        self.wrong(Made().put("p1").put("p2").take("k1", "p1").take("k2", "p2").end(), "k1 got p1, and the books say p2",
                   [["put", "p1"], ["put", "p2"], ["take", "k1", "p2"], ["take", "k2", "p1"]])

    # -- the lines

    def test_lines_that_cannot_be_are_seen(self):
        self.wrong(Made().put("p1").say("put", "p1", "ok").take("k1", "p1").end(), "p1 has two outcomes")
        self.wrong(Made().say("put", "p1", "ok").end(), "p1 has an outcome and was not invoked")
        self.wrong(Made().put("p1").put("p1").take("k1", "p1").end(), "p1 is invoked twice")


if __name__ == "__main__":
    unittest.main()
