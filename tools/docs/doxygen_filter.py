#!/usr/bin/env python3
"""Shows a header to doxygen as it wants docstrings, line by line: doxygen_filter.py HEADER.

The file comment becomes that of the file, with its examples as code; labels as `Waits:` become paragraphs of their own; what doxygen would take for
a command or a tag is escaped. Lines keep their numbers, so what doxygen says of places holds for the header.
"""

import re
import sys

NAMES = ["Requires", "Waits", "Thread safety", "Ownership", "Lifetime", "Cancellation", "Order", "Errors", "Cost", "Units", "Source", "When to use", "Depth"]
ONE = "(?i:" + "|".join(NAMES) + ")"
LABEL = re.compile(rf"(?:^|(?<=[.;:)] ))((?:{'|'.join(NAMES)})(?:(?:, | and ){ONE})*(?: of all of them| of load\(\))?):(?= |$)")
SPAN = re.compile(r"(`[^`]+`)")
COMMANDS = re.compile(r"([\\@#<>&%$])")
COMMENT = re.compile(r"^(\s*)//(/?)(?!/)(?!<) ?(.*)$")


def escape(text):
    """The text without commands and tags, its code spans as they are."""
    return "".join(part if part.startswith("`") else COMMANDS.sub(r"\\\1", part) for part in SPAN.split(text))


def prose(text):
    """A line of text; `@label` is an alias of the Doxyfile, which begins a paragraph with a title."""
    parts = LABEL.split(text)
    out = escape(parts[0])
    for label, rest in zip(parts[1::2], parts[2::2]):
        out += f"@label{{{label.replace(',', chr(92) + ',')}}} {escape(rest.lstrip())}"
    return out


def is_code(text, before):
    """Whether a line of a comment is code: indented by two spaces more, and not the rest of a list's element."""
    return text.startswith("  ") and not text.lstrip().startswith("- ") and not before.lstrip().startswith("- ")


def block(lines, first=""):
    """The text of one comment, in as many lines. `first` goes in front."""
    out, in_code, element = [], False, ""
    for i, line in enumerate(lines):
        code = is_code(line, element)
        element = line if line.lstrip().startswith("- ") else element if line.startswith("  ") and not code else ""
        following = lines[i + 1] if i + 1 < len(lines) else ""
        stays = in_code and not line and following.startswith("  ")
        text = line[2:] if code else "" if stays else line if line.startswith("|") else prose(line)
        if code and not in_code:
            text = "@begincode " + text if i and lines[i - 1] or not i else text
            if i and not lines[i - 1]:
                out[-1] = "@code{.cpp}"
        if in_code and not code and not stays:
            text = "@endcode" if not line else "@finishcode " + text
        in_code = code or stays
        out.append(text)
    if in_code:
        out[-1] += " @endcode"
    return [first + out[0], *out[1:]] if out else []


def convert(text):
    out, run, at_head = [], [], True

    def flush(following):
        nonlocal at_head
        if run:
            indent = run[0][0]
            first = "@thisfile " if at_head and following[:1] in {"", "#"} else ""
            out.extend(f"{indent}/// {line}".rstrip() for line in block([line for _, line in run], first))
            at_head = False
            run.clear()

    for line in text.split("\n"):
        comment = COMMENT.match(line)
        if comment and (comment.group(2) or at_head):
            run.append((comment.group(1), comment.group(3)))
            continue
        flush(line)
        at_head = at_head and line in {"", "#pragma once"}
        behind = re.match(r"^(.*?)///< ?(.*)$", line)
        out.append(f"{behind.group(1)}///< {escape(behind.group(2))}" if behind else line)
    flush("")
    return "\n".join(out)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as header:
        print(convert(header.read()), end="")
