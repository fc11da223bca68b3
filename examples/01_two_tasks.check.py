"""Both actors printed all their lines, each in its order, and neither ran as a block after the other."""
import sys

lines = sys.stdin.read().splitlines()
text = "im reading fugu.cafe"
assert lines[0] == "ops", lines[:1]
body = lines[1:]
assert [line for line in body if line != text] == [str(i) for i in range(10)], body
assert body.count(text) == 10 and len(body) == 20, body
changes = sum((a == text) != (b == text) for a, b in zip(body, body[1:]))
assert changes >= 5, f"only {changes} changes between the two: {body}"
