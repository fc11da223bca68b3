#!/usr/bin/env python3
"""Checks that every public name has a docstring.

    tools/check_reference.py [project folder]

Public are the names outside of `detail` and `internal`, in the headers that are installed. A docstring is `///` before a name, or `///<` behind it. Needs
none: what says all by itself (copying, moving, destroying, comparing, conversion to bool), an overload of a name that has one, a member of a record of
one line, and the functions that a derived class overrides.
"""

import re
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from docs.reference import run_doxygen
from sources import finish, root_from_arguments

EVIDENT = re.compile(r"operator ?(=|==|!=|<=>|bool|\*|->|co_await)|~.*")
KINDS = {"function", "variable", "enum", "typedef", "define"}
# Aliases that generic code asks for, by the names that the standard library has.
CUSTOMARY = {"value_type", "result_type", "promise_type", "message_type", "reply_type", "reply"}


def is_documented(element):
    return any("".join(part.itertext()).strip() for name in ("briefdescription", "detaileddescription") if (part := element.find(name)) is not None)


def place_of(element):
    location = element.find("location")
    return f"{location.get('file')}:{location.get('line')}" if location is not None else "?"


def text_of(element, name):
    part = element.find(name)
    return "" if part is None else "".join(part.itertext()).strip()


def is_evident(member, owner):
    """Whether a name says all by itself."""
    name = text_of(member, "name")
    if "<" in name or "_DETAIL_" in name or name.endswith("_") or name == "GREENROOM_EXPORT":
        # A specialisation, what is not for users, a member of a nameless union, and what the Doxyfile defines away.
        return True
    if EVIDENT.fullmatch(name) or member.find("reimplements") is not None:
        return True
    if member.get("kind") == "typedef" and name in CUSTOMARY:
        return True
    if name != owner.rsplit("::", 1)[-1].split("<")[0].strip():
        return False
    arguments = text_of(member, "argsstring")
    return bool(re.match(rf"\(\s*(?:const )?(?:{re.escape(name)}\b[^,]*&&?[^,]*)?\)", arguments))


def check_compound(compound):
    owner = text_of(compound, "compoundname")
    if compound.get("kind") == "concept" or (compound.get("kind") in {"class", "struct"} and compound.get("prot") == "public"):
        if not is_documented(compound):
            yield f"{place_of(compound)}: {owner} has no docstring"
    members = [m for m in compound.iter("memberdef") if m.get("prot") == "public" and m.get("kind") in KINDS]
    said = {text_of(m, "name") for m in members if is_documented(m)}
    # Of names that are declared together, as `std::string from, to;`, doxygen gives the docstring to one.
    lines = {place_of(m) for m in members if is_documented(m)}
    for member in members:
        name = text_of(member, "name")
        if member.get("kind") == "enum":
            for value in member.findall("enumvalue"):
                if not is_documented(value) and not is_documented(member):
                    yield f"{place_of(member)}: {owner}::{name}::{text_of(value, 'name')} has no docstring"
        if name not in said and place_of(member) not in lines and not is_evident(member, owner):
            yield f"{place_of(member)}: {owner}::{name} has no docstring"


def main():
    root = root_from_arguments()
    with tempfile.TemporaryDirectory() as folder:
        why = run_doxygen(root, Path(folder), html=False, xml=True)
        if why:
            finish("check_reference", [why], "nothing")
        compounds = [c for file in sorted((Path(folder) / "xml").glob("*.xml")) for c in ET.parse(file).getroot().iter("compounddef")]
    private = tuple(text_of(c, "compoundname") for c in compounds if c.get("prot") not in {None, "public"})
    faults, names = set(), 0
    for compound in compounds:
        owner = text_of(compound, "compoundname")
        if compound.get("kind") not in {"class", "struct", "concept", "namespace", "file"} or any(owner == p or owner.startswith(p + "::") for p in private):
            continue
        names += 1 + sum(1 for _ in compound.iter("memberdef"))
        faults |= set(check_compound(compound))
    finish("check_reference", sorted(faults), f"{names} names")


if __name__ == "__main__":
    main()
