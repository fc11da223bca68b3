#!/usr/bin/env python3
"""Checks that sources include only what their layer allows.

    tools/check_layers.py [project folder]

Layers, in order: runtime, actors, http, then examples and tools side by side, then tests, which see all. A
folder includes only itself and what stands before it. Further rules:
  - own headers are included as <greenroom/folder/file.hpp>, and exist; an example of several files, a folder of its
    own, includes its own as a user's program would: "file.hpp"
  - internal/ is included only from the same folder, and by tests
  - examples include no detail/: they show what is promised
  - CAF only in the places of CAF_PLACES, spdlog only in runtime/log.cpp and tests, OpenSSL only in runtime/internal/ and tests
  - no circle of includes, not even inside one folder
"""

import re

from sources import cpp_files, finish, includes, root_from_arguments

ALLOWED = {
    "runtime": {"runtime"},
    "actors": {"runtime", "actors"},
    "http": {"runtime", "actors", "http"},
    "examples": {"runtime", "actors", "http", "testkit"},
    "tools": {"runtime", "actors", "http", "tools"},
    "tests": {"runtime", "actors", "http", "testkit", "tools", "tests"},
    "testkit": {"runtime", "actors", "http", "testkit"},
}
CAF_PLACES = re.compile(
    r"(runtime/internal/|actors/internal/|runtime/caf\.hpp$|tests/|tools/bench/|examples/[^/]*caf[^/]*\.cpp$)"
)
SPDLOG_PLACES = re.compile(r"(runtime/log\.cpp$|tests/)")
OPENSSL_PLACES = re.compile(r"(runtime/internal/|tests/)")


def place_of(name):
    """The file in the tree that <greenroom/...> names: the test kit's folder is called otherwise."""
    return re.sub(r"^testkit/", "tests/kit/", name.removeprefix("greenroom/"))


def in_example_folder(file):
    return file.parts[0] == "examples" and len(file.parts) == 3


def check_include(root, file, kind, name):
    """What is wrong with one include of `file`, or None."""
    folder = "testkit" if file.parts[:2] == ("tests", "kit") else file.parts[0]
    if name.startswith("caf/"):
        return None if CAF_PLACES.match(str(file)) else "CAF is allowed only in internal/ and in runtime/caf.hpp"
    if name.startswith("spdlog/"):
        return None if SPDLOG_PLACES.match(str(file)) else "spdlog is allowed only in runtime/log.cpp"
    if name.startswith("openssl/"):
        return None if OPENSSL_PLACES.match(str(file)) else "OpenSSL is allowed only in runtime/internal/"
    if kind == '"' and in_example_folder(file) and "/" not in name:
        return None if (root / file.parent / name).is_file() else "there is no such header"
    if not name.startswith("greenroom/"):
        return "own headers are included as <greenroom/folder/file.hpp>" if kind == '"' else None

    if kind == '"':
        return "own headers are included with < and >"
    target = name.split("/")[1:]
    if target[0] not in ALLOWED[folder]:
        return f"{folder} must not include {target[0]}: it may include {', '.join(sorted(ALLOWED[folder]))}"
    if "internal" in target and target[0] != folder and folder != "tests":
        return f"internal headers of {target[0]} are for {target[0]} alone"
    if "detail" in target and folder == "examples":
        return "examples use only what is promised, never detail/"
    if not (root / place_of(name)).is_file():
        return "there is no such header"
    return None


def circles(graph):
    """Groups of files that include each other: Tarjan's strongly connected components."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []

    def visit(start):
        # A stack of its own instead of recursion, since include chains may be long.
        work = [(start, iter(graph[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    on_stack.add(successor)
                    work.append((successor, iter(graph[successor])))
                    break
                if successor in on_stack:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    if len(component) > 1 or node in graph[node]:
                        found.append(sorted(component))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def main():
    root = root_from_arguments()
    # The consumer is a project of its own: it sees the installed package only.
    files = [f for f in cpp_files(root) if f.parts[:2] != ("tests", "consumer")]
    faults = []
    graph = {str(f): [] for f in files}
    for file in files:
        for line, kind, name in includes((root / file).read_text()):
            fault = check_include(root, file, kind, name)
            if fault:
                faults.append(f"{file}:{line}: {name}: {fault}")
            own = str(file.parent / name) if kind == '"' else place_of(name)
            if own != name and own in graph:
                graph[str(file)].append(own)
    for circle in circles(graph):
        faults.append(f"{circle[0]}: includes go in a circle: {', '.join(circle)}")
    finish("check_layers", faults, f"{len(files)} files")


if __name__ == "__main__":
    main()
