#!/usr/bin/env python3
"""Reports what including one public header costs a file: processor time of the compiler, in times of a file that includes <vector>, <string>, <memory> and
<coroutine>.

    tools/compile_times.py [--runs 3] [--compiler g++] [header ...]     # greenroom/runtime/mailbox.hpp; all without names

Each figure is the least of some runs, in turn with the yardstick. For a quiet machine; some minutes for all.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
YARDSTICK = ["vector", "string", "memory", "coroutine"]


class Compiler:
    def __init__(self, command, folder):
        self.command, self.folder = command, Path(folder)
        tree = self.folder / "greenroom"
        tree.mkdir()
        for part in ("runtime", "actors", "http"):
            (tree / part).symlink_to(ROOT / part)

    def seconds(self, headers):
        source = self.folder / "one.cpp"
        source.write_text("".join(f"#include <{header}>\n" for header in headers))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([self.command, "-std=c++20", "-O2", f"-I{self.folder}", "-c", source, "-o", self.folder / "one.o"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("headers", nargs="*")
    how = parser.parse_args()
    headers = how.headers or [f"greenroom/{file.relative_to(ROOT)}" for part in ("runtime", "actors", "http")
                              for file in sorted((ROOT / part).glob("*.hpp"))]
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(how.compiler, folder)
        ratios = {}
        for header in headers:
            pairs = [(compiler.seconds(YARDSTICK), compiler.seconds([header])) for _ in range(how.runs)]
            ratios[header] = min(cost for _, cost in pairs) / min(yard for yard, _ in pairs)
        yard = min(compiler.seconds(YARDSTICK) for _ in range(how.runs))
    for header, ratio in sorted(ratios.items(), key=lambda each: -each[1]):
        print(f"{ratio:5.2f}  {header}")
    within = sum(ratio <= 1.5 for ratio in ratios.values())
    print(f"{within} of {len(ratios)} are within 1.5 times <vector>, <string>, <memory> and <coroutine> ({yard:.2f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
