#!/usr/bin/env python3
"""Checks that a program does not compile, and for the reason that it names.

    tools/check_compile_fail.py PROGRAM.cpp --compiler=g++ --include-dirs=one:two

The program's first line is `// expect: <regular expression>`, found in the compiler's output. A program that
fails for a wrong reason, a missing header say, would prove nothing, so the same file must compile with
GREENROOM_CONTROL defined, which makes it valid:

    // expect: order.*is not a
    #include <greenroom/runtime/mailbox.hpp>
    #ifdef GREENROOM_CONTROL   // control
    ...
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path


def compile_program(arguments, *more):
    # One spelling of quotes and no line breaks by width: the expectation should not know the locale.
    command = [arguments.compiler, "-std=c++20", "-fsyntax-only", "-fmessage-length=0", *more]
    command += [f"-I{path}" for path in arguments.include_dirs.split(":") if path]
    done = subprocess.run(
        [*command, str(arguments.program)], capture_output=True, text=True, check=False,
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")})
    return done.returncode, done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--include-dirs", default="")
    arguments = parser.parse_args()

    text = arguments.program.read_text()
    expected = re.match(r"// expect: (.+)\n", text)
    if not expected:
        return f"{arguments.program}: the first line is not `// expect: <regular expression>`"
    if "GREENROOM_CONTROL" not in text:
        return f"{arguments.program}: has no control: with GREENROOM_CONTROL defined it should compile"

    code, output = compile_program(arguments, "-DGREENROOM_CONTROL")
    if code != 0:
        return f"{arguments.program}: the control does not compile, so the fault proves nothing:\n{output}"
    code, output = compile_program(arguments)
    if code == 0:
        return f"{arguments.program}: compiles, but should not"
    if not re.search(expected.group(1).strip(), output):
        return f"{arguments.program}: fails without saying `{expected.group(1).strip()}`:\n{output}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
