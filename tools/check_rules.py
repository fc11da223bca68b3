#!/usr/bin/env python3
"""Checks small rules of the house that a compiler does not know.

    tools/check_rules.py [project folder]

  - tests do not put the thread to sleep: no wait is long enough on a busy machine (tests/stress may)
  - no coroutine lambda with captures: the captures die with the lambda, before the coroutine does
  - no folder of one machine and no host of a package registry in any file
  - no TODO and no disabled test without an issue number
  - CAF's version is looked at in one file alone, and what differs between versions stands in the few of CAF_VERSION_PLACES
  - no automatic formatting switched off, no tab, no space at the end of a line in C++ files
"""

import os
import re
from pathlib import Path

from sources import blank_comments, cpp_files, finish, root_from_arguments

SLEEP = re.compile(r"\bthis_thread\s*(?:::\s*sleep_\w+|;)|\b(usleep|nanosleep|clock_nanosleep)\s*\(|(?<![\w.>])::sleep\s*\(")
# Files that may sleep although they are not in tests/stress, each with its reason.
SLEEPERS = {}

CAPTURING_COROUTINE = re.compile(
    r"\[[^\[\]]+\]\s*(?:<[^<>]*>\s*)?\((?:[^()]|\([^()]*\))*\)\s*(?:mutable\s*)?(?:noexcept\s*)?->\s*(?:greenroom::)?task<"
)

CAF_VERSION = re.compile(r"\bCAF_(?:(?:MAJOR|MINOR|PATCH)_)?VERSION(?:_\w+)?\b|\bGREENROOM_CAF\b")
CAF_VERSION_PLACES = {
    "CAF": re.compile(r"runtime/internal/caf_version\.hpp$"),
    "GREENROOM_CAF": re.compile(r"runtime/internal/caf_\w+\.(?:hpp|cpp)$|tests/caf/talk\.hpp$"),
}

# Written with escapes so that this file does not match itself.
PLACES = re.compile(
    r"(?<![\w./$}-])/(?:work|home|root|Users)/[\w.]"
    r"|\b(?:deb\.debian\.org|registry\.npmjs\.org|pypi\.org|proxy\.golang\.org|crates\.io)\b"
)
TEXT_SUFFIXES = {".hpp", ".cpp", ".py", ".cmake", ".in", ".txt", ".json", ".md", ".sh", ".out", ".supp", ".toml", ".yml", ""}

CPP_RULES = [
    (re.compile(r"\bTODO\b(?!\(#\d+\))"), "a TODO carries its issue: TODO(#12)"),
    (re.compile(r"\bDISABLED_\w+"), "no disabled test: delete it, or skip it with GTEST_SKIP and a reason"),
    (re.compile(r"clang-format off"), "formatting stays on"),
    (re.compile(r"\t"), "no tab"),
    (re.compile(r"[ \t]+$", re.MULTILINE), "no space at the end of a line"),
]


def find(pattern, text, file, message):
    for match in pattern.finditer(text):
        yield f"{file}:{text.count(chr(10), 0, match.start()) + 1}: {message} (found: {match.group(0).strip()[:60]})"


def check_cpp(file, text):
    for pattern, message in CPP_RULES:
        yield from find(pattern, text, file, message)
    code = blank_comments(text)
    if file.parts[0] == "tests" and file.parts[1] != "stress" and str(file) not in SLEEPERS:
        yield from find(SLEEP, code, file, "a test waits for an event, never for a time")
    yield from find(CAPTURING_COROUTINE, code, file,
                    "a coroutine lambda has no captures: pass them as parameters")


def check_caf_version(file, text):
    for match in CAF_VERSION.finditer(blank_comments(text)):
        name = match.group(0)
        places = CAF_VERSION_PLACES["GREENROOM_CAF" if name == "GREENROOM_CAF" else "CAF"]
        if not places.match(str(file)):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{file}:{line}: what differs between versions of CAF stands in runtime/internal/caf_version.hpp (found: {name})"


def text_files(root):
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - {".git", "build", "__pycache__"})
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix in TEXT_SUFFIXES and not path.is_symlink():
                yield path.relative_to(root)


def main():
    root = root_from_arguments()
    faults = []
    for file in cpp_files(root):
        text = (root / file).read_text()
        faults += check_cpp(file, text)
        faults += check_caf_version(file, text)
    everything = list(text_files(root))
    for file in everything:
        text = (root / file).read_text(errors="replace")
        faults += find(PLACES, text, file, "no machine's folder and no registry host in the project")
    finish("check_rules", faults, f"{len(everything)} files")


if __name__ == "__main__":
    main()
