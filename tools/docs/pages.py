"""What the scripts for the documents share: which pages there are, their headings, links, blocks of code, and the parts that are taken from sources."""

import re
import subprocess
from pathlib import Path

from docs.tables import table_of

FENCE = re.compile(r"^\s*(```+|~~~+)\s*([\w+-]*)")
# Not an image's own bracket within a link's text, as in [![text](picture)](target).
LINK = re.compile(r"\[(?:[^\[\]]|!?\[[^\]]*\](?:\([^)]*\))?)*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
TAKEN = re.compile(r"^<!-- (code|table): (\S+)(?: (.*?))? -->$")
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".out": "text", ".toml": "toml", ".py": "python", ".txt": "cmake"}


def markdown_files(root):
    """All Markdown files of the project, relative to root: those that git knows, or else all outside of build folders."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return sorted(Path(line) for line in listed.stdout.splitlines() if (root / line).is_file())
    found = (p.relative_to(root) for p in root.rglob("*.md"))
    return sorted(p for p in found if "build" not in p.parts and not any(part.startswith(".") for part in p.parts))


def prose_lines(text):
    """(line number, line) of what is no block of code."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = FENCE.match(line)
        if fence is None and mark:
            fence = mark.group(1)
        elif fence is not None:
            if mark and mark.group(1).startswith(fence) and not mark.group(2):
                fence = None
        elif not line.startswith("    "):
            yield number, line


def text_lines(text):
    """The same with code spans blanked."""
    for number, line in prose_lines(text):
        yield number, CODE_SPAN.sub(lambda m: " " * len(m.group(0)), line)


def code_lines(text):
    """(line number, language, line) of what is code: in fences, and indented by four spaces."""
    fence, language = None, ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = FENCE.match(line)
        if fence is None and mark:
            fence, language = mark.groups()
        elif fence is not None:
            if mark and mark.group(1).startswith(fence) and not mark.group(2):
                fence = None
            else:
                yield number, language, line
        elif line.startswith("    "):
            yield number, "", line[4:]


def links(text):
    """(line number, target) of each link and picture."""
    for number, line in text_lines(text):
        for match in LINK.finditer(line):
            yield number, match.group(1)
            inner = re.match(r"\[!\[[^\]]*\]\(([^)\s]+)\)", match.group(0))
            if inner:
                yield number, inner.group(1)


def headings(text):
    fence = None
    for line in text.splitlines():
        mark = FENCE.match(line)
        if mark:
            fence = None if fence else mark.group(1)
        elif fence is None and (found := re.match(r"#{1,6} +(.*?)\s*#*$", line)):
            yield re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", found.group(1)).replace("`", "")


def anchors(text):
    """The anchors of a page: those that GitHub and mkdocs both give its headings."""
    seen, found = {}, set()
    for title in headings(text):
        plain = re.sub(r"[^\w\s-]", "", title.lower()).strip()
        here, site = plain.replace(" ", "-"), re.sub(r"[-\s]+", "-", plain)
        count = seen[here] = seen.get(here, -1) + 1
        if count == 0 and here == site:
            found.add(here)
    return found


def part_of(path, text, words):
    """The lines of a file from the first that has one text to the first behind it that has another."""
    asked = re.fullmatch(r'from "(.*?)" to "(.*?)"', words)
    if not asked:
        raise ValueError(f'{path}: write `from "a text" to "another"`, and not `{words}`')
    lines = text.splitlines()

    def has(line, words):  # `^` stands for the beginning of the line
        return line.startswith(words[1:]) if words.startswith("^") else words in line

    begin = next((i for i, line in enumerate(lines) if has(line, asked.group(1))), None)
    if begin is None:
        raise ValueError(f"{path}: no line has '{asked.group(1)}'")
    end = next((i for i in range(begin, len(lines)) if has(lines[i], asked.group(2))), None)
    if end is None:
        raise ValueError(f"{path}: no line from there on has '{asked.group(2)}'")
    return "\n".join(lines[begin:end + 1])


def taken(root, kind, path, words):
    """The lines that a comment `<!-- code: PATH ... -->` or `<!-- table: PATH STRUCT -->` stands for. Errors: ValueError, a sentence."""
    if not (root / path).is_file():
        raise ValueError(f"{path}: there is no such file")
    text = (root / path).read_text()
    if kind == "table":
        return table_of(path, text, words or "")
    if words:
        text = part_of(path, text, words)
    return [f"```{LANGUAGES.get(Path(path).suffix, '')}", *text.rstrip("\n").splitlines(), "```"]


def block_behind(lines, start):
    """[begin, end) of the block of code or the table that begins at a line; empty if another thing does, or nothing."""
    end = start
    if start < len(lines) and lines[start].startswith("```"):
        end += 1
        while end < len(lines) and lines[end].rstrip() != "```":
            end += 1
        return start, min(end + 1, len(lines))
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    return start, end


def renew(root, page, text):
    """The text with all that is taken from sources as it stands there now, and (line number, sentence) for what was otherwise."""
    lines, faults, at = text.splitlines(), [], 0
    while at < len(lines):
        asked = TAKEN.match(lines[at])
        at += 1
        if not asked:
            continue
        try:
            wanted = taken(root, *asked.groups())
        except ValueError as e:
            faults.append((at, str(e)))
            continue
        begin, end = block_behind(lines, at)
        if lines[begin:end] != wanted:
            faults.append((at, f"what follows differs from {asked.group(2)}: tools/check_docs.py --fix takes it over"))
            lines[begin:end] = wanted if end > begin or not "".join(lines[end:end + 1]).strip() else [*wanted, ""]
    return "\n".join(lines) + "\n", faults
