#!/usr/bin/env python3
"""Plays the user: 07_plain_caf.drive.py PROGRAM."""

import subprocess
import sys

from program import expect

done = subprocess.run([sys.argv[1]], input="5\n-2\n", capture_output=True, text=True, timeout=30, check=True)
expect(done.stdout, "stock 5\nstock 3\n", "two orders")
