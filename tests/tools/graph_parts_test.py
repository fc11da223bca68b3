#!/usr/bin/env python3
"""Tests of `greenroom run --deployment`, a graph in several processes: tests/tools/graph_parts_test.py COMMAND FOLDER_OF_LIBRARIES"""

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMMAND, LIBRARIES = sys.argv[1], Path(sys.argv[2])
LIMIT = 120  # seconds, for a hang

SUMS = f"""
[graph]
name = "sums"
libraries = ["{LIBRARIES / "libnumbers.so"}", "{LIBRARIES / "libprinting.so"}"]
[nodes.source]
run = "count"
settings = {{ to = 1000 }}
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
ENDLESS = SUMS.replace('"count"', '"count_for_ever"').replace("settings = { to = 1000 }", "")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class GraphParts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.port = free_port()
        self.deployment = self.file("deploy.toml", f"""
[deployment]
detection = "1s"
[nodes.shop]
[nodes.bank]
at = "127.0.0.1:{self.port}"
[place]
sink = "bank"
""")

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def start(self, graph, node, *more):
        process = subprocess.Popen(
            [COMMAND, "run", str(self.file("graph.toml", graph)), "--deployment", str(self.deployment), "--node", node, *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def until(self, process, wanted):
        for line in process.stdout:
            if line == wanted:
                return
        self.fail(f"it ended without {wanted!r}: " + process.stderr.read())

    def end(self, process, number=None):
        """What it printed, if it ended in order."""
        if number is not None:
            process.send_signal(number)
        printed, said = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0, printed + said)
        self.assertIn("all items are accounted for\n", printed)
        return printed

    def call(self, *arguments, code=0):
        done = subprocess.run([COMMAND, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def accepted(self, printed, edge):
        return int(re.search(rf"^{edge} +(\d+) ", printed, re.MULTILINE).group(1))

    def test_each_process_runs_its_part_whichever_is_started_first(self):
        for order in ("shop", "bank"), ("bank", "shop"):
            parts = {name: self.start(SUMS, name) for name in order}
            shop = self.end(parts["shop"])  # by itself, when all has crossed
            self.assertIn("running graph 'sums', the part of node 'shop'\n", shop)
            bank = self.end(parts["bank"], signal.SIGTERM)
            self.assertIn("sum 1001000\n", bank)
            for printed in shop, bank:
                self.assertEqual(self.accepted(printed, "doubler -> sink"), 1000)

    def test_a_part_that_was_drained_comes_back_and_the_others_go_on(self):
        shop = self.start(ENDLESS, "shop")
        for _ in range(2):
            bank = self.start(ENDLESS, "bank")
            self.until(bank, "the first has come\n")
            self.end(bank, signal.SIGTERM)
        last = self.start(ENDLESS, "bank")
        self.until(last, "the first has come\n")
        self.end(shop, signal.SIGTERM)
        self.end(last, signal.SIGTERM)

    def test_a_part_that_was_killed_comes_back_and_the_others_go_on(self):
        shop = self.start(ENDLESS, "shop")
        bank = self.start(ENDLESS, "bank")
        self.until(bank, "the first has come\n")
        bank.kill()
        bank.communicate(timeout=LIMIT)
        again = self.start(ENDLESS, "bank")
        self.until(again, "the first has come\n")
        self.end(shop, signal.SIGTERM)
        self.end(again, signal.SIGTERM)

    def make_certificates(self, authority, *names):
        """An authority, and certificates of it for each name."""
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=LIMIT)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *key, "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-days", "2",
                "-subj", f"/CN={authority}")
        self.file("who.cnf", "subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth, clientAuth\n")
        for name in names:
            openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
                    f"{authority}.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "who.cnf")

    @unittest.skipUnless(shutil.which("openssl"), "no openssl to make certificates with")
    def test_parts_with_certificates_of_one_authority_talk_and_others_do_not(self):
        self.make_certificates("ca", "shop", "bank")
        self.make_certificates("other", "stranger")
        self.deployment.write_text(f"""
[nodes.shop]
tls = {{ ca = "ca.pem", certificate = "shop.pem", key = "shop.key" }}
[nodes.bank]
at = "127.0.0.1:{self.port}"
tls = {{ ca = "ca.pem", certificate = "bank.pem", key = "bank.key" }}
[place]
sink = "bank"
""")
        bank = self.start(SUMS, "bank")
        self.end(self.start(SUMS, "shop"))
        self.assertIn("sum 1001000\n", self.end(bank, signal.SIGTERM))

        bank = self.start(SUMS, "bank")
        self.deployment = self.file("other.toml", self.deployment.read_text().replace("shop.", "stranger."))
        shop = self.start(SUMS, "shop")
        for line in bank.stderr:
            if "is refused" in line:
                break
        else:
            self.fail("nobody was refused")
        shop.kill()
        shop.communicate(timeout=LIMIT)
        self.end(bank, signal.SIGTERM)

    def test_a_drain_says_what_could_not_cross(self):
        shop = self.start(SUMS, "shop", "--drain", "100ms", "--for", "100ms")
        printed, said = shop.communicate(timeout=LIMIT)
        self.assertEqual(shop.returncode, 1, printed)
        self.assertIn("what is to cross to input 0 of 'sink' on bank still run(s)", said)
        self.assertRegex(said, r"\d+ item\(s\) that were on their way to 'graph/sums/sink.0' on node bank are lost")

    def test_check_reads_both_files_and_says_what_crosses(self):
        graph = self.file("graph.toml", SUMS)
        self.assertEqual(self.call("check", graph, "--deployment", self.deployment),
                         "graph 'sums' can run: 3 node(s), 2 edge(s), 1 of which cross between 2 processes, 0 warning(s)\n")
        self.deployment.write_text('[nodes.shop]\n[nodes.bank]\nat = "0.0.0.0:1"\n[place]\nsink = "bank"\n')
        self.assertEqual(self.call("check", graph, "--deployment", self.deployment, code=1),
                         f"{self.deployment}:2:1: node 'bank' is at 0.0.0.0, which is not loopback: anybody there could "
                         "send to its actors; give all nodes certificates, tls\n")
        self.deployment.write_text("[nodes.shop]\nport = 1\n")
        self.assertIn(f"{self.deployment}:2:8: 'port' is not known here; there are at, tls\n",
                      self.call("check", graph, "--deployment", self.deployment, code=1))

    def test_items_without_an_inspect_are_named_before_anything_starts(self):
        graph = self.file("graph.toml", f"""
[graph]
libraries = ["{LIBRARIES / "libnumbers.so"}"]
[nodes.source]
run = "count_own"
[nodes.sink]
run = "drop_own"
[[edges]]
from = "source"
to = "sink"
capacity = 4
""")
        self.assertRegex(self.call("run", graph, "--deployment", self.deployment, "--node", "shop", code=1),
                         r"deploy.toml:8:8: the link from output 0 of 'source' to input 0 of 'sink' crosses from node "
                         r"'shop' to node 'bank', but items of type .*own_number cannot: write an inspect\(\) beside the type")

    def test_the_drawing_has_a_box_for_each_process(self):
        graph = self.file("graph.toml", SUMS)
        dot = self.call("graph", graph, "--deployment", self.deployment)
        self.assertIn(f'  subgraph cluster_1 {{\n  label="bank at 127.0.0.1:{self.port}";\n  fontname=sans;\n  n2 [label="sink"];\n  }}\n', dot)
        self.assertIn("color=blue", dot)
        self.assertIn('subgraph p0["shop"]', self.call("graph", graph, "--deployment", self.deployment, "--mermaid"))

    def test_wrong_command_lines_are_said(self):
        graph = self.file("graph.toml", SUMS)
        self.assertIn("run with a --deployment needs --node NAME",
                      self.call("run", graph, "--deployment", self.deployment, code=2))
        self.assertIn("--node goes with a --deployment FILE", self.call("run", graph, "--node", "shop", code=2))
        self.assertIn("there is no node 'bnk'; there are 'shop', 'bank'",
                      self.call("run", graph, "--deployment", self.deployment, "--node", "bnk", code=1))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
