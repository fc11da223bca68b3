#!/usr/bin/env python3
"""Plays the user: 22_graph_over_nodes.drive.py PROGRAM. Two processes, each started first once; they print 22_graph_over_nodes.out."""

import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from program import expect

WANTED = Path(__file__).with_name("22_graph_over_nodes.out").read_text()
DEPLOYMENT = Path(__file__).with_name("22_graph_over_nodes.toml").read_text()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def start(*arguments):
    return subprocess.Popen([sys.argv[1], *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def result(process):
    printed, _ = process.communicate(timeout=60)
    expect(process.returncode, 0, f"the exit code of one that printed {printed!r}")
    return printed


for order in ("shop", "bank"), ("bank", "shop"):
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "deployment.toml"
        where.write_text(DEPLOYMENT.replace("7001", str(free_port())))
        parts = {name: start(name, where) for name in order}
        try:
            printed = result(parts["shop"])
            parts["bank"].send_signal(signal.SIGTERM)
            expect(printed + result(parts["bank"]), WANTED, "what both print")
        finally:
            for part in parts.values():
                part.kill()
                part.wait()
