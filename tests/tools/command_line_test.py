#!/usr/bin/env python3
"""Tests of what `greenroom` says of itself: help, manual page, completions. tests/tools/command_line_test.py COMMAND

The tests of a shell are skipped where it is missing.
"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

COMMAND = Path(sys.argv[1]).resolve()
LIMIT = 60  # seconds, for a hang


def call(*arguments, **more):
    return subprocess.run([COMMAND, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
                          check=False, **more)


def printed(*arguments):
    done = call(*arguments)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{arguments}: {done.returncode} {done.stderr}")
    return done.stdout


def commands():
    return re.findall(r"^  ([a-z]+) +\S", printed("help"), re.MULTILINE)


def options(command):
    return re.findall(r"^  (--[a-z0-9-]+)", printed(command, "--help"), re.MULTILINE)


class Help(unittest.TestCase):
    def test_is_the_same_in_each_way_that_it_is_asked_for(self):
        overview = printed("help")
        self.assertEqual(overview, printed())
        self.assertEqual(overview, printed("--help"))
        self.assertTrue({"new", "doctor", "run", "check", "graph", "nodes", "top", "completions"} <= set(commands()), commands())
        for command in commands():
            self.assertEqual(printed("help", command), printed(command, "--help"))
            self.assertTrue(printed(command, "--help").startswith(f"greenroom {command}"))

    def test_fits_into_a_terminal(self):
        for line in printed("help").splitlines():
            self.assertLessEqual(len(line), 80, line)
        for command in commands():
            for line in printed(command, "--help").splitlines():
                self.assertTrue(len(line) <= 80 or line.startswith(" "), line)  # examples are not wrapped

    def test_each_command_with_a_result_gives_it_as_json(self):
        for command in set(commands()) - {"completions"}:
            self.assertIn("--json", options(command), command)

    def test_the_version_is_that_of_the_header(self):
        header = (Path(__file__).resolve().parents[2] / "runtime" / "version.hpp").read_text()
        version = re.search(r'GREENROOM_VERSION "(.*)"', header).group(1)
        self.assertEqual(printed("--version"), f"greenroom {version}\n")

    def test_wrong_command_lines_get_a_sentence_and_code_2(self):
        for arguments, sentence in {
            ("dotcor",): "greenroom: 'dotcor' is no command; near is doctor\n",
            ("help", "tpo"): "greenroom: 'tpo' is no command; near is top",
            ("entirely-else",): "greenroom: 'entirely-else' is no command; `greenroom help` lists them\n",
            ("doctor", "here"): "greenroom: doctor takes options only; `greenroom doctor --help` says more\n",
            ("doctor", "--jsno"): "greenroom: --jsno: there is no such option of doctor; near is --json; ",
            ("doctor", "--json=yes"): "greenroom: --json: it takes no value; ",
            ("new", "shop", "--dir"): "greenroom: --dir: its value is missing; ",
            ("new", "one", "two"): "greenroom: new takes NAME, and more were given; ",
            ("completions", "tcsh"): "greenroom: 'tcsh' is not bash or zsh or fish; ",
        }.items():
            done = call(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertTrue(done.stderr.startswith(sentence), done.stderr)

    def test_a_result_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([COMMAND, "man"], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=LIMIT,
                                  check=False)
        self.assertEqual((done.returncode, done.stderr), (1, "greenroom: the result cannot be written: is the disk full?\n"))

    def test_options_end_at_two_hyphens(self):
        done = call("doctor", "--", "--help")
        self.assertEqual(done.returncode, 2)
        self.assertIn("takes options only", done.stderr)


class ManualPage(unittest.TestCase):
    def setUp(self):
        self.page = printed("man")

    def test_has_each_command_and_each_option(self):
        plain = self.page.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
        for command in commands():
            section = plain.split(f"\n.SS {command}\n")[1].split("\n.S")[0]
            of_system = plain.split("\n.SH OPTIONS OF THE SYSTEM\n")[1]
            for option in options(command):
                wanted = option in section or option == "--help" or f".BI {option} " in of_system
                self.assertTrue(wanted, f"{command} {option}")
        for heading in ("NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"):
            self.assertIn(f"\n.SH {heading}\n", plain)

    @unittest.skipUnless(shutil.which("man") and shutil.which("groff"), "there is no man")
    def test_is_clean_roff(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "greenroom.1"
            page.write_text(self.page)
            done = subprocess.run(["man", "-l", "--warnings", "-E", "UTF-8", page], capture_output=True, text=True, timeout=LIMIT, check=False,
                                  env={**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("greenroom doctor [--json]", done.stdout)


def typed_in(shell, keys, until):
    """What an interactive shell shows when the keys are typed, up to `until`."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(shell[0], shell, {"PATH": f"{COMMAND.parent}:/usr/bin:/bin", "TERM": "dumb", "PS1": "ready> ", "HOME": "/nonexistent",
                                     "LC_ALL": "C.UTF-8"})
    shown, end = "", time.monotonic() + LIMIT
    try:
        rest = list(keys)
        while until not in shown:
            if time.monotonic() > end:
                raise AssertionError(f"{until!r} has not come: {shown!r}")
            if not select.select([terminal], [], [], 1)[0]:
                continue
            shown += os.read(terminal, 4096).decode(errors="replace")
            if rest and rest[0][0] in shown:  # it answers what was typed before
                after, text = rest.pop(0)
                shown = shown[shown.index(after) + len(after):]
                os.write(terminal, text.encode())
        return shown
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


class Completions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "a graph.toml").write_text("")
        (self.folder / "folder").mkdir()

    def in_bash(self, *words):
        """What bash would offer for the last of the words, with the completions loaded by bash-completion as from an installed prefix."""
        place = self.folder / "completions"
        place.mkdir(exist_ok=True)
        (place / "greenroom").write_text(printed("completions", "bash"))
        script = """
            set -eu +u
            source /usr/share/bash-completion/bash_completion
            cd "$1"; shift
            _completion_loader greenroom || [[ $? == 124 ]]
            complete -p greenroom >/dev/null
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            _greenroom; printf '%s\\n' "${COMPREPLY[@]}"
        """
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", self.folder, "greenroom", *words], capture_output=True, text=True,
                              timeout=LIMIT, check=False, env={**os.environ, "BASH_COMPLETION_USER_DIR": str(self.folder)})
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return [line for line in done.stdout.splitlines() if line]

    @unittest.skipUnless(Path("/usr/share/bash-completion/bash_completion").is_file(), "there is no bash-completion")
    def test_bash_completes_commands_options_values_and_files(self):
        self.assertEqual(set(self.in_bash("")), {*commands(), "help", "--help", "--version"})
        self.assertEqual(self.in_bash("do"), ["doctor"])
        self.assertEqual(self.in_bash("help", "nod"), ["nodes"])
        for command in commands():
            self.assertEqual(set(self.in_bash(command, "--")), set(options(command)), command)
        self.assertEqual(self.in_bash("doctor", "--j"), ["--json"])
        self.assertEqual(self.in_bash("completions", "f"), ["fish"])
        self.assertEqual(self.in_bash("run", "a"), ["a graph.toml"])
        self.assertEqual(self.in_bash("run", "--nodes", "a"), ["a graph.toml"])
        self.assertEqual(self.in_bash("run", "--nodes", "=", "a"), ["a graph.toml"], "as bash parts --nodes=a")
        self.assertEqual(self.in_bash("new", "shop", "--dir", ""), ["completions", "folder"])
        self.assertEqual(self.in_bash("top", "--every", ""), [])
        self.assertEqual(self.in_bash("new", ""), [])

    def test_bash_completes_what_is_typed(self):
        shown = typed_in(["bash", "--norc", "--noprofile", "-i"],
                         [("ready> ", "source <(greenroom completions bash); echo sou''rced\n"), ("sourced", "greenroom comp\tz\t | head -1; echo do''ne\n")],
                         "done")
        self.assertIn("#compdef greenroom", shown)

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh_completes_what_is_typed(self):
        shown = typed_in(["zsh", "-f", "-i"],
                         [("ready> ", "autoload -Uz compinit; compinit -u -D; source <(greenroom completions zsh); echo sou''rced\n"),
                          ("sourced\r\n", "greenroom doc\t--js\t | tr -cd w | head -c 1; greenroom comp\tfi\t | head -1; echo do''ne\n")], "done\r\n")
        self.assertIn("w", shown)
        self.assertIn("# Completion of greenroom(1) for fish", shown)

    @unittest.skipUnless(shutil.which("fish"), "there is no fish")
    def test_fish_completes_commands_options_values_and_files(self):
        def offered(line):
            done = subprocess.run(["fish", "--no-config", "-c", "source (greenroom completions fish | psub); complete -C $argv[1]", line],
                                  cwd=self.folder, capture_output=True, text=True, timeout=LIMIT, check=False,
                                  env={**os.environ, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}", "HOME": str(self.folder)})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return {entry.split("\t")[0] for entry in done.stdout.splitlines()}

        self.assertTrue(set(commands()) <= offered("greenroom "))
        for command in commands():
            self.assertTrue(set(options(command)) <= offered(f"greenroom {command} --"), command)
        self.assertEqual(offered("greenroom completions f"), {"fish"})
        self.assertIn("a graph.toml", offered("greenroom run a"))
        self.assertEqual(offered("greenroom new x --dir fo"), {"folder/"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
