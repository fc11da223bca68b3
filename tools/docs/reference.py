"""Runs doxygen over the public headers."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run_doxygen(root, output, html, xml):
    """Makes output/html and output/xml, as wanted. Returns why not, as a sentence, or None."""
    if shutil.which("doxygen") is None:
        return "doxygen is missing: install it with tools/install_packages --all"
    output.mkdir(parents=True, exist_ok=True)
    settings = (HERE / "Doxyfile").read_text() + f"""
OUTPUT_DIRECTORY = {output}
STRIP_FROM_PATH = {root}
STRIP_FROM_INC_PATH = {root}
FILTER_PATTERNS = "*.hpp={sys.executable} {HERE / 'doxygen_filter.py'}"
GENERATE_HTML = {'YES' if html else 'NO'}
GENERATE_XML = {'YES' if xml else 'NO'}
XML_PROGRAMLISTING = NO
GENERATE_TAGFILE = {output / 'tags.xml' if html else ''}
"""
    done = subprocess.run(["doxygen", "-"], input=settings, text=True, cwd=root, capture_output=True, check=False)
    return f"doxygen failed: {done.stderr.strip()}" if done.returncode else None
