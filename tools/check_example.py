#!/usr/bin/env python3
"""Runs an example and compares what it prints.

    tools/check_example.py PROGRAM EXPECTED --timeout=60

EXPECTED is `<stem>.out`, compared line by line with the standard output; a first line `#! unordered` in it
says that the lines may come in any order. Or it is `<stem>.check.py`, a script that gets the output as its
standard input and judges by its exit code.
"""

import argparse
import difflib
import subprocess
import sys
from pathlib import Path


def compare(expected, actual):
    wanted, got = expected.splitlines(), actual.splitlines()
    if wanted and wanted[0].strip() == "#! unordered":
        wanted, got = sorted(wanted[1:]), sorted(got)
    elif expected != actual:
        wanted, got = expected.splitlines(keepends=True), actual.splitlines(keepends=True)
    if wanted == got:
        return 0
    difference = difflib.unified_diff(wanted, got, "expected", "printed", lineterm="")
    return "The output differs:\n" + "\n".join(line.rstrip("\n") for line in difference)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("expected", type=Path)
    parser.add_argument("--timeout", type=float, default=60)
    arguments = parser.parse_args()

    try:
        done = subprocess.run(
            [arguments.program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=arguments.timeout, check=False)
    except subprocess.TimeoutExpired as late:
        printed = (late.stdout or b"").decode(errors="replace")
        return f"{arguments.program.name}: did not end in {arguments.timeout} s; it printed:\n{printed}"
    if done.returncode != 0:
        return (f"{arguments.program.name}: ended with code {done.returncode}; it printed:\n"
                f"{done.stdout}\nand as errors:\n{done.stderr}")
    if arguments.expected.suffix == ".py":
        judge = subprocess.run([sys.executable, arguments.expected], input=done.stdout, text=True, check=False)
        return 0 if judge.returncode == 0 else f"{arguments.expected.name} rejects this output:\n{done.stdout}"
    return compare(arguments.expected.read_text(), done.stdout)


if __name__ == "__main__":
    sys.exit(main())
