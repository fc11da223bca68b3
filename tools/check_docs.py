#!/usr/bin/env python3
"""Checks that the documents are true where a script can tell.

    tools/check_docs.py [--fix] [project folder]

  - links lead to files that are there, and to headings that they have
  - code and tables below `<!-- code: PATH -->`, `<!-- code: PATH from "a text" to "another" -->` and `<!-- table: PATH STRUCT -->` are those
    of the sources; --fix takes them over
  - command lines name scripts, programs, presets and verbs of `greenroom` that are there
  - names in code spans of docs/ are those of a source, if they have an underscore (guides for people from elsewhere apart)
  - every public header stands in some page of docs/, and so does every program of docs/snippets
  - every page of docs/ is in the navigation of the site (tools/docs/mkdocs.yml), and can be reached from docs/index.md
"""

import argparse
import json
import re
from pathlib import Path

from check_headers import is_public
from docs.pages import TAKEN, anchors, code_lines, links, markdown_files, prose_lines, renew
from sources import LIBRARIES, cpp_files, finish

COMMAND = re.compile(r"^(?:\$ )?(?:python3 |bash |sudo )?((?:tools|build|\.ci)/[\w./-]+)")
PRESET = re.compile(r"\b(?:cmake|ctest)\b.*?--preset[ =](\w+)")
VERB = re.compile(r"^(?:\$ )?(?:build/\w+/tools/)?greenroom ([a-z]\w*)")
CODE_SPAN = re.compile(r"`([^`]+)`")
NO_COMMANDS = {"cpp", "toml", "cmake", "text", "python", "json", "go", "erlang", "promql", "yaml"}


def check_links(root, page, text):
    for number, target in links(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (root / page.parent / path).resolve() if path else root / page
        if not file.exists():
            yield f"{page}:{number}: the link to {target} leads nowhere"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{page}:{number}: the link to {target}: no heading has that anchor, on GitHub and in the site alike"


def verbs(root):
    """The verbs of the command, by the text of its --help, or how they are declared."""
    found = {"help"}  # of the command itself
    for source in [*(root / "tools" / "greenroom").glob("*.cpp"), *(root / "actors").glob("graph_command.cpp")]:
        text = source.read_text()
        found |= set(re.findall(r"^ *\"? *greenroom ([a-z]\w*)", text, re.MULTILINE))
        found |= set(re.findall(r"\bcommand \w+\{\"(\w+)\"", text))
    return found


def program_exists(root, path):
    """Whether a path below build/ is one of a program that the build makes, or of a folder there."""
    parts = Path(path).parts
    if len(parts) < 4:
        return True
    if parts[2] == "examples":
        return (root / "examples" / f"{parts[3]}.cpp").exists() or (root / "examples" / parts[3]).is_dir()
    if parts[2:4] == ("docs", "snippets") and len(parts) > 4:
        return (root / "docs" / "snippets" / f"{parts[4]}.cpp").exists()
    return True


def check_commands(root, page, text):
    presets = root / "CMakePresets.json"
    known = {p["name"] for p in json.loads(presets.read_text())["configurePresets"]} if presets.exists() else set()
    for number, language, line in code_lines(text):
        if language in NO_COMMANDS:
            continue
        command, verb = COMMAND.match(line), VERB.match(line)
        if command and not command.group(1).startswith("build/") and not (root / command.group(1)).exists():
            yield f"{page}:{number}: there is no {command.group(1)}"
        if command and command.group(1).startswith("build/") and not program_exists(root, command.group(1)):
            yield f"{page}:{number}: nothing builds {command.group(1)}"
        if verb and verb.group(1) not in verbs(root):
            yield f"{page}:{number}: greenroom has no verb '{verb.group(1)}'"
        for preset in PRESET.findall(line):
            if preset not in known:
                yield f"{page}:{number}: there is no preset '{preset}'"


def all_sources(root):
    """The text of everything that may have a name which a page says."""
    files = [*(root / file for file in cpp_files(root)), *root.glob("tools/cmake/*"), *root.rglob("CMakeLists.txt"), *root.glob("CMakePresets.json"),
             *root.glob("tools/*"), *root.glob("tools/bench/*")]
    return "\n".join(file.read_text() for file in files if file.is_file())


def check_names(sources, page, text):
    """Names in code spans, with an underscore, that no source has. The guides may name what others have."""
    for number, line in prose_lines(text):
        for span in CODE_SPAN.findall(line):
            for name in re.findall(r"[A-Za-z]\w*_\w+", span):
                if name not in sources:
                    yield f"{page}:{number}: no source has {name}"


def check_coverage(root, pages):
    """What must be named somewhere in docs/."""
    said = "\n".join(text for page, text in pages.items() if page.parts[0] == "docs")
    for header in filter(is_public, cpp_files(root, (*LIBRARIES, "tests/kit"), (".hpp",))):
        if not re.search(rf"(?<![\w/]){re.escape(str(header))}\b", said.replace("../", "")):
            yield f"{header}: no page of docs/ names it"
    used = {m.group(2) for text in pages.values() for line in text.splitlines() if (m := TAKEN.match(line))}
    for source in sorted((root / "docs" / "snippets").glob("*.cpp")):
        for file in (source, source.with_suffix(".out")):
            if str(file.relative_to(root)) not in used:
                yield f"{file.relative_to(root)}: no page shows it"


def check_navigation(root, pages):
    navigation = root / "tools" / "docs" / "mkdocs.yml"
    listed = navigation.read_text() if navigation.exists() else ""
    reached, to_visit = set(), [Path("docs/index.md")]
    while to_visit:
        page = to_visit.pop()
        if page in reached or page not in pages:
            continue
        reached.add(page)
        for _, target in links(pages[page]):
            file = (root / page.parent / target.partition("#")[0]).resolve()
            if file.is_relative_to(root):
                to_visit.append(file.relative_to(root))
    for page in (p for p in pages if p.parts[0] == "docs"):
        if page not in reached:
            yield f"{page}: no link leads there from docs/index.md"
        if not re.search(rf"[ :]{re.escape(str(page.relative_to('docs')))}\s", listed + "\n"):
            yield f"{page}: tools/docs/mkdocs.yml does not list it"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent)
    arguments = parser.parse_args()
    root = arguments.root.resolve()

    pages = {page: (root / page).read_text() for page in markdown_files(root)}
    faults = []
    for page, text in pages.items():
        renewed, differing = renew(root, page, text)
        if arguments.fix and renewed != text:
            (root / page).write_text(renewed)
            pages[page] = renewed
            differing = renew(root, page, renewed)[1]
        faults += [f"{page}:{number}: {sentence}" for number, sentence in differing]
        faults += check_links(root, page, pages[page])
        faults += check_commands(root, page, pages[page])
    if any(page.parts[0] == "docs" for page in pages):
        sources = all_sources(root)
        for page in (p for p in pages if p.parts[0] == "docs" and not p.name.startswith("for_")):
            faults += check_names(sources, page, pages[page])
        faults += check_coverage(root, pages)
        faults += check_navigation(root, pages)
    finish("check_docs", faults, f"{len(pages)} pages")


if __name__ == "__main__":
    main()
