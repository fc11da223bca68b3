#!/usr/bin/env python3
"""Plays the user: 06_front_in_a_main_loop.drive.py PROGRAM."""

import sys

from program import Program, expect


def level(body):
    word, number = body.split()
    expect(word, "level", body)
    return float(number)


with Program(sys.argv[1], 0) as program:
    before = level(program.body("/level"))
    assert 0 <= before <= 50, before
    level(program.body("/valve/open", "PUT"))
    while level(program.body("/level")) <= before:
        pass  # it rises as the loop turns
    expect(program.ask("/valve/ajar", "PUT")[0], 400, "a valve that is neither open nor shut")
    expect(program.stop(), (0, "stopped\n"), "stop")
