#!/usr/bin/env python3
"""Checks what the built libraries show to a program, and what they keep for the whole of a process.

    tools/check_symbols.py LIBRARY...

  - of their own they export only what a header marks with GREENROOM_EXPORT, and templates and inline variables of such types; nothing of
    internal/, and nothing of the libraries they use but instances of templates of std
  - the soname of a shared one is its name with the part of the version that may break programs
  - no variable that can be written, thread-local ones included, but those of tools/globals.txt, each with its reason

Takes static libraries and shared ones that are not stripped. The exports of a static one are what a shared one made of it would have.
"""

import re
import subprocess
import sys
from pathlib import Path

from sources import LIBRARIES, blank_comments, cpp_files, finish

ROOT = Path(__file__).resolve().parent.parent

# objdump -t: value, seven flags, section, size, visibility if it is not the default one, name.
SYMBOL = re.compile(r"^[0-9a-f]{16} (.{7}) (\S+)\t[0-9a-f]{16}\s+(?:(0x\w\w|\.\w+) )?(.+)$")
WRITABLE = re.compile(r"^\.(?:bss|data|tbss|tdata)(?!\.rel\.ro)|^\*COM\*$")

# Pointers to the types that are caught, and what begins and ends a shared library.
OF_THE_COMPILER = re.compile(r"DW\.ref\.|\.|__TMC_END__$|__dso_handle$|completed\.\d+$|_edata$|_end$|__bss_start$")


class Symbol:
    def __init__(self, flags, section, visibility, name):
        self.linkage, self.weak, self.kind = flags[0], flags[1] == "w", flags[6]
        self.section, self.visibility, self.name = section, visibility, name

    @property
    def exported(self):
        """Whether a program sees it, or would if the object became part of a shared library."""
        return (self.linkage in "gu!" or self.weak) and self.section != "*UND*" and self.visibility is None

    @property
    def strong(self):
        return self.linkage == "g" and not self.weak


def symbols_of(library):
    done = subprocess.run(["objdump", "-tw", library], capture_output=True, text=True, check=True)
    found = (SYMBOL.match(line) for line in done.stdout.splitlines())
    return [Symbol(*match.groups()) for match in found if match]


def demangle(names):
    done = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    return dict(zip(names, done.stdout.splitlines()))


def scope_of(mangled):
    """The names that a mangled name begins with: ["greenroom", "http", "server", "start"]; ["std"] for all of that."""
    rest = re.sub(r"^_Z(?:T[VTIS]|T[hv].*?_|Tc(?:h.*?_)+|GV|GR|TH|TW|Z)*", "", mangled)
    rest = re.sub(r"^Z*N?[KVrRO]*", "", rest)
    if re.match(r"S[tabsiod]", rest):
        return ["std"]
    names = []
    while match := re.match(r"(\d+)", rest):
        begin, length = match.end(), int(match.group(1))
        names.append(rest[begin:begin + length])
        rest = re.sub(r"^B5cxx11", "", rest[begin + length:])
        if arguments := re.match(r"I", rest):
            break
    if re.match(r"(?:[CD][0-9]|[a-z]{2})", rest) and names:
        names.append("operator or constructor")
    return names


def marked_names(root):
    """What the headers mark with GREENROOM_EXPORT: the names of classes, functions and variables."""
    names = {"operator or constructor"}
    for file in cpp_files(root, (*LIBRARIES, "tests/kit"), (".hpp",)):
        text = blank_comments((root / file).read_text())
        for match in re.finditer(r"\bGREENROOM_EXPORT\b([^;{]*)", text):
            declared, nested = match.group(1), 1
            while nested: # template arguments, which may hold anything
                declared, nested = re.subn(r"<[^<>]*>", " ", declared)
            declared = re.split(r"\(|=|(?<!:):(?!:)|__attribute__", declared)[0]
            if words := re.findall(r"~?\w+", re.sub(r"\bfinal\b", " ", declared)):
                names.add(words[-1])
    return names


def allowed_globals(root):
    """Patterns of names, each with the reason why such a variable may be there."""
    allowed = {}
    for line in (root / "tools" / "globals.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition("  ")
            allowed[name.strip()] = reason.strip()
    return allowed


def check_exports(library, symbols, marked):
    exported = {s.name: s for s in symbols if s.exported}
    for mangled, text in demangle(sorted(exported)).items():
        scope = scope_of(mangled)
        if scope[:1] == ["std"]:
            if exported[mangled].strong:
                yield f"{library.name}: exports {text[:150]}, which is std's own"
        elif scope[:1] != ["greenroom"]:
            yield f"{library.name}: exports {text[:150]}, which is somebody else's: hide it"
        elif "internal" in scope:
            yield f"{library.name}: exports {text[:150]}, which is internal: no mark, or no mark on what it belongs to"
        elif exported[mangled].strong and not marked.intersection(scope):
            yield f"{library.name}: exports {text[:150]}, which no header marks with GREENROOM_EXPORT"


def check_globals(library, symbols, allowed, used):
    written = {s.name for s in symbols if WRITABLE.match(s.section) and s.kind in "O " and not OF_THE_COMPILER.match(s.name)}
    written = {re.sub(r"^(_Z.*)\.\d+$", r"\1", name) for name in written} # clang may keep the fields of one as variables
    for text in sorted(demangle(sorted(written)).values()):
        name = re.sub(r"^guard variable for ", "", text)
        pattern = next((p for p in allowed if re.fullmatch(p, name)), None)
        if pattern is None:
            yield f"{library.name}: has the variable {text[:150]}: the state of a process is the host's; tools/globals.txt has the exceptions"
        else:
            used.add(pattern)


def check_soname(library):
    done = subprocess.run(["objdump", "-p", library], capture_output=True, text=True, check=True)
    match = re.search(r"SONAME\s+(\S+)", done.stdout)
    version = re.search(r'GREENROOM_VERSION "(\d+\.\d+)', (ROOT / "runtime/version.hpp").read_text()).group(1)
    wanted = re.sub(r"\.so.*", "", library.name) + f".so.{version}"
    if not match or match.group(1) != wanted:
        yield f"{library.name}: its soname is {match.group(1) if match else 'missing'}, and should be {wanted}"


def main():
    libraries = [Path(name) for name in sys.argv[1:]]
    if not libraries:
        sys.exit(__doc__)
    marked, allowed, used, faults = marked_names(ROOT), allowed_globals(ROOT), set(), []
    for library in libraries:
        symbols = symbols_of(library)
        if not symbols:
            faults.append(f"{library.name}: has no symbols: it was stripped")
        faults += check_exports(library, symbols, marked)
        faults += check_globals(library, symbols, allowed, used)
        if ".so" in library.name:
            faults += check_soname(library)
    finish("check_symbols", faults, f"{len(libraries)} libraries")


if __name__ == "__main__":
    main()
