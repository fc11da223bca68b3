#!/usr/bin/env python3
"""Tests of the command `greenroom` with libraries of nodes: tests/tools/graph_command_test.py COMMAND FOLDER_OF_LIBRARIES"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMMAND, LIBRARIES = sys.argv[1], Path(sys.argv[2])
LIMIT = 120  # seconds, for a hang


def library(name):
    return LIBRARIES / f"lib{name}.so"


SUMS = f"""
[graph]
name = "sums"
libraries = ["{library("numbers")}", "{library("printing")}"]
[nodes.source]
run = "count"
settings = {{ to = 10 }}
[nodes.doubler]
run = "twice"
replicas = 2
[nodes.sink]
run = "sum"
[[edges]]
from = "source"
to = "doubler"
capacity = 4
[[edges]]
from = "doubler"
to = "sink"
capacity = 4
"""

ENDLESS = SUMS.replace('"count"', '"count_for_ever"').replace("settings = { to = 10 }", "")


class GraphCommand(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, text):
        path = self.folder / "graph.toml"
        path.write_text(text)
        return path

    def call(self, *arguments):
        return subprocess.run([COMMAND, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT, check=False)

    def ends_well(self, *arguments):
        done = self.call(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def fails(self, *arguments, code=1):
        done = self.call(*arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertNotEqual(done.stderr, "")
        return done.stderr

    def counts(self, printed):
        """By edge: accepted, handled, failed, dropped, queued."""
        rows = re.findall(r"^(\S.* -> \S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", printed, re.MULTILINE)
        return {row[0]: tuple(map(int, row[1:])) for row in rows}

    def test_runs_to_the_end_and_every_item_is_counted(self):
        printed = self.ends_well("run", self.file(SUMS))
        self.assertIn("sum 110\n", printed)
        self.assertEqual(self.counts(printed),
                         {"source -> doubler": (10, 10, 0, 0, 0), "doubler -> sink": (10, 10, 0, 0, 0)})
        self.assertIn("all items are accounted for\n", printed)

    def test_other_wiring_in_the_file_gives_another_result_without_a_build(self):
        straight = SUMS.replace('to = "doubler"', 'to = "sink"', 1)
        straight = re.sub(r"\[nodes\.doubler\].*?(?=\[nodes\.sink\])", "", straight, flags=re.DOTALL)
        straight = re.sub(r'\[\[edges\]\]\nfrom = "doubler".*', "", straight, flags=re.DOTALL)
        printed = self.ends_well("run", self.file(straight))
        self.assertIn("sum 55\n", printed)
        self.assertEqual(self.counts(printed), {"source -> sink": (10, 10, 0, 0, 0)})

    def test_items_that_fail_are_counted_and_the_node_goes_on(self):
        printed = self.ends_well("run", self.file(SUMS.replace('"twice"', '"fail_at_two"')), "--log-level=off")
        self.assertIn("sum 53\n", printed)
        self.assertEqual(self.counts(printed)["source -> doubler"], (10, 9, 1, 0, 0))

    def test_keys_and_settings_of_the_system_work_across_libraries(self):
        text = SUMS.replace('to = "doubler"\ncapacity = 4', 'to = "doubler"\ncapacity = 4\nby_key = "value"')
        printed = self.ends_well("run", self.file(text + '[greenroom]\nworkers = 1\nlog_level = "error"\n'))
        self.assertIn("sum 110\n", printed)
        by_replica = [n[0] for edge, n in self.counts(printed).items() if "doubler[" in edge]
        self.assertEqual((len(by_replica), sum(by_replica)), (2, 10))

    def run_until_first_item(self, text, *arguments):
        process = subprocess.Popen([COMMAND, "run", str(self.file(text)), *arguments], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if line in ("the first has come\n", "nothing will be received\n"):
                return process
        self.fail("it ended: " + process.stderr.read())

    def test_a_signal_drains_along_the_edges(self):
        for number in signal.SIGTERM, signal.SIGINT:
            process = self.run_until_first_item(ENDLESS)
            process.send_signal(number)
            printed, said = process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, 0, said)
            counts = self.counts(printed)
            accepted, handled, *others = counts["source -> doubler"]
            self.assertGreater(accepted, 0)
            self.assertEqual((handled, others), (accepted, [0, 0, 0]))
            self.assertEqual(counts["doubler -> sink"], (accepted, accepted, 0, 0, 0))
            self.assertRegex(printed, r"draining\nsum \d+\n")

    def test_a_time_drains_too(self):
        self.assertIn("draining\n", self.ends_well("run", self.file(ENDLESS), "--for", "10ms"))

    def test_a_drain_that_takes_too_long_is_a_failure_that_names_the_node(self):
        process = self.run_until_first_item(ENDLESS.replace('"sum"', '"never_receive"'), "--drain=10ms", "--log-level=off")
        process.send_signal(signal.SIGTERM)
        printed, said = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(said, r"greenroom: graph 'sums' is not drained: .*'sink'.* still run")
        self.assertIn("all items are accounted for\n", printed)

    def test_too_many_restarts_are_a_failure(self):
        text = SUMS.replace('"twice"', '"fail_at_two"').replace("replicas = 2", "")
        text = text.replace('name = "sums"', 'name = "sums"\nintensity = { restarts = 0, period = "1s" }')
        self.assertIn("restart", self.fails("run", self.file(text), "--log-level=off"))
        said = self.fails("run", self.file(text))
        self.assertIn("declared at graph.toml:", said)
        self.assertNotIn(".cpp:", said, "no source of ours, and none of the library")

    def test_all_faults_of_a_file_are_listed(self):
        path = self.file(SUMS.replace('"twice"', '"thrice"').replace("capacity = 4", "capacity = -4").replace(
            'to = "sink"', 'to = "drain"'))
        said = self.fails("check", path)
        self.assertRegex(said, rf"^{path}:9:7: there is no function 'thrice' to run; there are count, .*, twice\n")
        self.assertEqual(said.count("capacity must be a whole number"), 2)
        self.assertIn(f"{path}:19:6: there is no node 'drain'\n", said)
        self.assertEqual(said.count("\n"), 4)
        self.assertEqual(self.fails("run", path), said)

    def test_a_graph_that_cannot_run_is_refused_as_a_whole(self):
        path = self.file(SUMS.rpartition("[[edges]]")[0])
        faults = self.fails("check", path).splitlines()
        self.assertEqual([line for line in faults if not line.startswith(f"{path}: ")], [])
        self.assertEqual(len(faults), 3)
        self.assertTrue(any("output 0 of 'doubler' is open" in line for line in faults), faults)
        self.assertEqual(json.loads(self.call("check", path, "--json").stdout)["faults"], faults)
        path = self.file(SUMS + "[greenroom]\nworkers = 0\n")
        self.assertIn(f"{path}:22:11: bad option: workers", self.fails("check", path))

    def test_a_good_graph_passes_the_check(self):
        self.assertEqual(self.ends_well("check", self.file(SUMS)), "graph 'sums' can run: 3 node(s), 2 edge(s), 0 warning(s)\n")

    def test_a_graph_is_drawn_before_it_runs(self):
        drawn = self.ends_well("graph", self.file(SUMS))
        self.assertTrue(drawn.startswith('digraph "sums" {'), drawn)
        self.assertIn("n0 -> n1", drawn)
        self.assertIn('"name":"sink"', self.ends_well("graph", self.file(SUMS), "--json"))
        self.assertIn('["sink"]', self.ends_well("graph", self.file(SUMS), "--mermaid"))

    def test_nodes_are_listed_with_the_types_of_their_ports(self):
        listed = self.ends_well("nodes", library("numbers"))
        self.assertIn("twice: test_nodes::number -> test_nodes::number   from ", listed)
        self.assertIn("value: key of test_nodes::number", listed)

    def test_libraries_may_be_given_beside_the_file(self):
        text = re.sub(r"libraries = .*", "", SUMS)
        printed = self.ends_well("run", self.file(text), "--nodes", library("numbers"), f"--nodes={library('printing')}")
        self.assertIn("sum 110\n", printed)

    def test_a_library_that_is_named_twice_is_loaded_once(self):
        self.ends_well("run", self.file(SUMS), "--nodes", library("numbers"))

    def test_a_wrong_library_is_refused_in_a_sentence(self):
        for name, sentence in {
            "older": "it was built for greenroom 0.0.9, g++ 11, and this program is greenroom ",
            "other_headers": "it was built with other headers of the same version, greenroom ",
            "own_copy": "it contains a Greenroom of its own",
            "no_nodes": "it registers no nodes",
            "throws": "its registration failed: no licence",
            "nowhere": "there is no such file",
        }.items():
            said = self.fails("nodes", library(name))
            self.assertIn(f"cannot load the nodes of {library(name)}: {sentence}", said)
            path = self.file(SUMS.replace('libraries = [', f'libraries = ["{library(name)}", '))
            self.assertIn(f"{path}:4:14: cannot load the nodes of {library(name)}: {sentence}", self.fails("run", path))

    def test_a_file_that_is_no_library_is_refused(self):
        for file, sentence in ((self.file("no library"), "it is no shared library: it does not begin as an ELF file does"),
                               ("/dev/null", "it is no file"),
                               ("/", "it is a directory and no library")):
            self.assertEqual(self.fails("nodes", file), f"cannot load the nodes of {file}: {sentence}\n")

    def test_a_library_that_was_cut_off_is_refused_before_it_is_mapped(self):
        whole = Path(library("numbers")).read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            cut = Path(folder, "libnumbers.so")
            for length in (20, 64, 4096, len(whole) // 2, len(whole) - 1):
                cut.write_bytes(whole[:length])
                said = self.fails("run", self.file(SUMS), "--nodes", cut)
                self.assertRegex(said, rf"cannot load the nodes of {cut}: the file is cut off: it has {length} bytes, and \d+ by its tables")
            cut.write_bytes(whole + b"more")
            self.ends_well("nodes", cut)

    def test_two_libraries_with_the_same_function_are_both_named(self):
        said = self.fails("nodes", library("numbers"), library("same_names"))
        self.assertIn(f"both {library('numbers')} and {library('same_names')} have a function 'count'", said)

    def test_types_that_are_only_called_the_same_do_not_fit(self):
        text = SUMS.replace('"count"', '"count_own"').replace('"sum"', '"take_own"')
        text = text.replace('to = "doubler"', 'to = "sink"', 1)
        self.assertIn("ends at an input for another type of that name", self.fails("check", self.file(text)))

    def test_entries_are_named_since_nothing_can_come_in(self):
        text = SUMS + '[entries.orders]\nto = "doubler"\ncapacity = 4\n'
        done = self.call("run", self.file(text), "--for=10ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing comes in by 'orders'", done.stderr)
        self.assertIn("orders, source -> doubler", done.stdout)

    def test_json_has_the_counts_of_a_run_behind_what_the_nodes_print(self):
        *_, last, document = self.ends_well("run", self.file(SUMS), "--json").splitlines()
        self.assertEqual(last, "sum 110")
        zero = {"failed": 0, "dropped": 0, "queued": 0}
        self.assertEqual(json.loads(document), {
            "graph": "sums", "ended": "by itself", "failure": None, "conserved": True, "edges": [
                {"name": "source -> doubler", "accepted": 10, "handled": 10, **zero},
                {"name": "doubler -> sink", "accepted": 10, "handled": 10, **zero}]})
        drained = json.loads(self.ends_well("run", self.file(ENDLESS), "--for=10ms", "--json").splitlines()[-1])
        self.assertEqual((drained["ended"], drained["conserved"]), ("drained", True))

    def test_json_tells_of_a_run_that_failed(self):
        text = SUMS.replace('"twice"', '"fail_at_two"').replace("replicas = 2", "")
        text = text.replace('name = "sums"', 'name = "sums"\nintensity = { restarts = 0, period = "1s" }')
        done = self.call("run", self.file(text), "--json", "--log-level=off")
        report = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((done.returncode, report["ended"]), (1, "failed"))
        self.assertIn("restart", report["failure"])
        self.assertIn(report["failure"], done.stderr)

    def test_json_has_the_faults_of_a_check(self):
        path = self.file(SUMS)
        self.assertEqual(json.loads(self.ends_well("check", path, "--json")), {
            "file": str(path), "fine": True, "graph": "sums", "nodes": 3, "edges": 2, "faults": [], "warnings": []})
        path = self.file(SUMS.replace('"twice"', '"thrice"').replace('to = "sink"', 'to = "drain"'))
        done = self.call("check", path, "--json")
        report = json.loads(done.stdout)
        self.assertEqual((done.returncode, done.stderr, report["fine"], report["graph"]), (1, "", False, None))
        self.assertEqual(len(report["faults"]), 2)
        self.assertTrue(report["faults"][0].startswith(f"{path}:9:7: there is no function 'thrice'"))

    def test_json_lists_functions_and_keys(self):
        listed = json.loads(self.ends_well("nodes", library("numbers"), "--json"))
        twice = next(f for f in listed["functions"] if f["name"] == "twice")
        self.assertEqual((twice["inputs"], twice["outputs"]), (["test_nodes::number"], ["test_nodes::number"]))
        self.assertTrue(twice["from"].endswith("libnumbers.so"))
        self.assertEqual([(k["name"], k["of"]) for k in listed["keys"]], [("value", "test_nodes::number")])

    def test_a_command_line_that_is_wrong_is_told(self):
        path = self.file(SUMS)
        for arguments, sentence in {
            ("run",): "run takes FILE, and none was given",
            ("check", path, path): "check takes FILE, and more were given",
            ("run", path, "--for"): "--for: its value is missing",
            ("run", path, "--drain", "soon"): "--drain: 'soon' is not a duration",
            ("run", path, "--workers", "0"): "workers",
            ("check", path, "--quick"): "--quick: there is no such option",
        }.items():
            self.assertIn(sentence, self.fails(*arguments, code=2))
        self.assertIn("none.toml", self.fails("run", self.folder / "none.toml"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
