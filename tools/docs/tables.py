"""Tables of options, made from the structs that have them: name, default and the first sentence of the docstring."""

import re

MEMBER = re.compile(r"^  ([\w:]+(?:<[^;]*>)?) (\w+)(?: = ([^;]*)|\{([^;]*)\})?;(?:\s*///<\s*(.*))?$")
BROKEN_OFF = re.compile(r"^  [\w:]+(?:<[^;]*>)? \w+(?: =[^;]*|\{[^;}]*)$")
UNITS = {"milliseconds": "ms", "seconds": "s", "minutes": "min", "hours": "h"}
SPOKEN = {
    "default_workers()": "the processors it may use", "duration::max()": "no limit", "duration::zero()": "0", "std::nullopt": "none",
    "never": "none", "true": "yes", "false": "no", '""': "none", "": "none", "default_buckets()": "0.25 ms to 10 s",
}


def number_text(text):
    digits = text.replace("'", "")
    return f"{int(digits):,}" if digits.isdigit() else digits


def duration_text(unit, text):
    count = int(text.replace("'", ""))
    if unit == "milliseconds" and count % 1000 == 0 and count:
        unit, count = "seconds", count // 1000
    if unit == "seconds" and count % 60 == 0 and count:
        unit, count = "minutes", count // 60
    if unit == "minutes" and count % 60 == 0 and count:
        unit, count = "hours", count // 60
    return f"{count} {UNITS[unit]}"


def default_text(kind, value):
    """How a default is said to people."""
    value = (value or "").strip()
    spelled = re.fullmatch(r"std::chrono::(\w+)\(([\d']+)\)", value)
    if spelled:
        return duration_text(*spelled.groups())
    typed = re.fullmatch(r"std::chrono::(\w+)", kind)
    if typed and typed.group(1) in UNITS and re.fullmatch(r"[\d']+", value):
        return duration_text(typed.group(1), value)
    if value in SPOKEN or value == "{}":
        return SPOKEN.get(value, "none")
    if re.fullmatch(r"[\d'.]+", value):
        return number_text(value)
    return f"`{value}`"


def first_sentence(text):
    text = re.sub(r"\s*(?:Units|Source|Errors|Requires|Cost):.*", "", text)
    found = re.match(r"(.*?[^.\s]{2}[.:;])(?=\s+[A-Z]|\s*$)", text)
    sentence = (found.group(1) if found else text).strip().rstrip(".:;,")
    return sentence[:1].upper() + sentence[1:]


def whole_members(lines):
    """The lines, with members that the format has broken off put together again."""
    begun = ""
    for line in lines:
        begun = f"{begun.rstrip()} {line.strip()}" if begun else line
        if not BROKEN_OFF.match(begun):
            yield begun
            begun = ""


def members_of(path, text, name):
    """(name, default, docstring) of each member of a struct that has a docstring."""
    body = re.search(rf"\nstruct {re.escape(name)} (?:: [^{{]*)?\{{\n(.*?)\n\}};", text, re.DOTALL)
    if not body:
        raise ValueError(f"{path}: there is no struct {name}")
    docs, members = [], []
    for line in whole_members(body.group(1).splitlines()):
        line = re.sub(r"(?<=[\w)}\]]) {2,}(?=///<)", " ", line)
        if line.startswith("  /// "):
            docs.append(line[6:])
        elif member := MEMBER.match(line):
            kind, member_name, assigned, braced, behind = member.groups()
            said = " ".join(docs) or behind or ""
            members.append((member_name, default_text(kind, assigned if assigned is not None else braced), said))
            docs = []
        else:
            docs = []
    return members


def table_of(path, text, name):
    rows = [f"| `{member}` | {default} | {first_sentence(said).replace('|', '&#124;')} |" for member, default, said in members_of(path, text, name)]
    if not rows:
        raise ValueError(f"{path}: the struct {name} has no member with a default")
    return ["| option | default | what it is |", "| --- | --- | --- |", *rows]
