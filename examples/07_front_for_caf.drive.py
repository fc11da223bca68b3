#!/usr/bin/env python3
"""Plays the user, at the keyboard and over HTTP, and counts what the front took: 07_front_for_caf.drive.py PROGRAM."""

import difflib
import subprocess
import sys
from pathlib import Path

from program import Program, expect


def lines_of_code(name):
    lines = (Path(__file__).parent / name).read_text().splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("//")]


plain, changed = lines_of_code("07_plain_caf.cpp"), lines_of_code("07_front_for_caf.cpp")
different = [line for line in difflib.ndiff(plain, changed) if line[0] in "+-"]
expect([line for line in different if line[0] == "-"], [], "lines of the plain program that had to change")
assert 10 < len(different) < 30, f"{len(different)} lines are new:\n" + "\n".join(different)
said = f"{len(different)} lines are new"
assert said in (Path(__file__).parent / "07_front_for_caf.cpp").read_text(), f"the head of the example should say that {said}"

with Program(sys.argv[1], stdin=subprocess.PIPE) as program:
    program.type("5\n")
    expect(program.line(), "stock 5\n", "typed")
    expect(program.body("/orders/-2", "POST"), "stock 3\n", "ordered")
    expect(program.line(), "stock 3\n", "the clerk's line about it")
    expect(program.ask("/orders/many", "POST")[::2], (503, "no answer\n"), "what ends the desk")
    expect(program.body("/orders/4", "POST"), "stock 7\n", "the desk was started anew")
    expect(program.line(), "stock 7\n", "the clerk's line about it")
    program.process.stdin.close()
    expect(program.process.wait(timeout=30), 0, "exit code at the end of the input")
