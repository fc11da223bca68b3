#!/usr/bin/env python3
"""Plays the user: 07_front_for_caf.drive.py PROGRAM."""

import sys

from program import Program, expect

with Program(sys.argv[1], "--port=0") as program:
    expect(program.body("/count"), "total 0\n", "at first")
    expect(program.body("/count/5", "POST"), "total 5\n", "after 5")
    expect(program.body("/count/-2", "POST"), "total 3\n", "after -2")
    expect(program.ask("/count/many", "POST")[0], 400, "what is no number")
    expect(program.stop(), (0, "stopped\n"), "stop")
