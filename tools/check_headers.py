#!/usr/bin/env python3
"""Checks that each header compiles alone and says what it promises.

    tools/check_headers.py [project folder]

  - every header of the libraries compiles by itself, and again after itself (CXX names the compiler)
  - every public header begins with a file comment and has the words "Thread safety"
  - size caps: 400 lines for a header, 500 for a source
"""

import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sources import LAYERS, LIBRARIES, cpp_files, finish, root_from_arguments

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
MOST_LINES = {".hpp": 400, ".cpp": 500}


def is_public(file):
    return "internal" not in file.parts and "detail" not in file.parts


def check_text(root, file):
    text = (root / file).read_text()
    lines = text.count("\n")
    if lines > MOST_LINES[file.suffix]:
        yield f"{file}: {lines} lines, at most {MOST_LINES[file.suffix]}: split it"
    if file.suffix == ".cpp" or (file.parts[0] not in LIBRARIES and file.parts[:2] != ("tests", "kit")):
        return
    if "#pragma once" not in text:
        yield f"{file}: has no #pragma once"
    if not is_public(file):
        return
    # The comment may stand before or after #pragma once, but before all code.
    head = re.sub(r"#pragma once", "", text).lstrip()
    comment = re.match(r"(?:[ \t]*//[^\n]*\n)+", head)
    if not comment or comment.group(0).count("\n") < 3:
        yield f"{file}: has no file comment of three lines or more: what it is, when to use it"
    if "thread safety" not in text.lower():
        yield f'{file}: does not say "Thread safety:"'


def compile_alone(root, include_tree, file):
    program = f"#include <greenroom/{file}>\n#include <greenroom/{file}>\n"
    command = [os.environ.get("CXX", "g++"), *FLAGS, f"-I{include_tree}", "-x", "c++", "-"]
    done = subprocess.run(command, input=program, capture_output=True, text=True, cwd=root, check=False)
    return [f"{file}: does not compile alone:\n{done.stderr.rstrip()}"] if done.returncode else []


def main():
    root = root_from_arguments()
    faults = []
    files = cpp_files(root, LAYERS)
    for file in files:
        faults += check_text(root, file)
    headers = cpp_files(root, (*LIBRARIES, "tests/kit"), (".hpp",))
    with tempfile.TemporaryDirectory() as include_tree:
        tree = Path(include_tree) / "greenroom"
        tree.mkdir()
        for folder in (*LIBRARIES, "tests"):
            (tree / folder).symlink_to(root / folder)
        (tree / "testkit").symlink_to(root / "tests" / "kit")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for found in pool.map(lambda file: compile_alone(root, include_tree, file), headers):
                faults += found
    finish("check_headers", faults, f"{len(headers)} headers compiled, {len(files)} files")


if __name__ == "__main__":
    main()
