"""Values of the options that the scripts here share. What is wrong is said before the first run, not after the last."""

import argparse
import json
from pathlib import Path


def at_least_one(text):
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"wants a whole number from 1 on, not '{text}'")
    return number


def whole_numbers(text):
    """Numbers from 1 on, as in 1,2; each once."""
    return list(dict.fromkeys(at_least_one(part) for part in text.split(",")))


def build_folder(text):
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {folder}: build the release preset first, or name another")
    return folder


def output_file(text):
    """A file to write to, opened at once; what it holds stays until there is something to write."""
    try:
        return open(text, "a", encoding="utf-8")
    except OSError as why:
        raise argparse.ArgumentTypeError(f"cannot be written: {why}") from None


def write_json_lines(file, lines):
    """Replaces what the file of output_file() holds."""
    with file:
        file.truncate(0)
        file.writelines(json.dumps(line) + "\n" for line in lines)
