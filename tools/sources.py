"""What the check scripts share: where the sources are, their includes, how to report faults."""

import re
import sys
from pathlib import Path

LAYERS = ["runtime", "actors", "http", "examples", "tools", "tests"]
LIBRARIES = ["runtime", "actors", "http"]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def root_from_arguments():
    """The folder to check: the first argument, or the project that this script belongs to."""
    return Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent


# A program of somebody else's to be, which includes its own headers as such.
NOT_OURS = Path("tools/greenroom/new_project")


def cpp_files(root, folders=LAYERS, suffixes=(".hpp", ".cpp")):
    """All C++ files of ours below the folders, as paths relative to root, in a fixed order."""
    found = []
    for folder in folders:
        found += [p for p in (root / folder).rglob("*") if p.suffix in suffixes and p.is_file()]
    return [p for p in sorted(p.relative_to(root) for p in found) if NOT_OURS not in p.parents]


def includes(text):
    """(line number, "<" or quote, included name) of each include directive."""
    for match in _INCLUDE.finditer(text):
        # The match may begin at an empty line before, never after the directive.
        yield text.count("\n", 0, match.start(2)) + 1, match.group(1), match.group(2)


def blank_comments(text):
    """The text with comments turned to spaces, lines kept. Strings stay as they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)

    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found

    return pattern.sub(blank, text)


def finish(name, faults, checked):
    """Prints the faults, or one line that says how much was checked; ends the program."""
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(f"{name}: {len(faults)} fault(s) in {checked}", file=sys.stderr)
        sys.exit(1)
    print(f"{name}: {checked} checked, no fault")
    sys.exit(0)
