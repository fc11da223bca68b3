#!/usr/bin/env python3
"""Looks at the live graph page with headless Chromium, and leaves pictures of it.

    graph_page_test.py FRONT FOLDER

Without Chromium or python3-websockets the exit code is 77, which ctest counts as skipped.
"""

import json
import os
import struct
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from browser import BROWSER, Browser, websockets


class Front:
    """The server with its two graphs."""

    def __enter__(self):
        self.process = subprocess.Popen([FRONT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.stop()

    def stop(self):
        self.process.stdin.close()
        code = self.process.wait(60)
        self.process.stdout.close()
        assert code == 0, f"the front ended with {code}"

    def post(self, path):
        urllib.request.urlopen(urllib.request.Request(self.url + path, method="POST", data=b""), timeout=30).read()


def node(name):
    """An expression for the group of a node."""
    return f"picture.nodes[page.look.nodes.findIndex(n => n.name === {json.dumps(name)})].group"


def line(start, end):
    """An expression for the line of an edge."""
    return (f"picture.edges[page.look.edges.findIndex(e => page.look.nodes[e.from].name === {json.dumps(start)} && "
            f"page.look.nodes[e.to].name === {json.dumps(end)})].line")


class GraphPage(unittest.TestCase):
    def opened(self, front, browser, more=""):
        browser.prefer("light")
        browser.open(front.url + "/graph" + more)
        browser.wait_for("page.polls >= 2", "two polls")

    def picture(self, browser, name):
        path = FOLDER / f"{name}.png"
        browser.picture(path)
        data = path.read_bytes()
        self.assertEqual(struct.unpack(">II", data[16:24]), (1440, 900), name)
        self.assertGreater(len(data), 20_000, f"{name}: hardly anything is drawn")

    def test_shows_the_nodes_and_then_what_goes_wrong(self):
        with Front() as front, Browser() as browser:
            self.opened(front, browser)
            names = browser.ask("[...document.querySelectorAll('.node .name')].map(n => n.textContent)")
            self.assertEqual(sorted(names), ["check", "clerk", "intake", "left", "pack", "price ×2", "reject", "right", "ship", "starter"])
            self.assertTrue(browser.ask("byId('alarm').hidden"), "an alarm without a knot")
            self.assertEqual(browser.ask("[...document.querySelectorAll('#tree .super b')].map(s => s.textContent)"), ["works", "desk"])
            self.assertIn("rest for one", browser.ask("byId('tree').textContent"))
            browser.wait_for(f"{node('clerk')}.querySelector('.figures').textContent.includes('↻')", "restarts of the clerk")
            browser.wait_for(f"/^[1-9].*s/.test({node('check')}.querySelector('.figures').textContent)", "the rate of check")

            front.post("/slow")
            browser.wait_for(f"{line('price', 'pack')}.classList.contains('f4')", "the full edge")
            browser.wait_for(f"{node('price')}.classList.contains('blocked')", "the blocked senders")
            labels = "[...document.querySelectorAll('.load')].map(l => l.textContent)"
            browser.wait_for(f"{labels}.some(l => /^32.32 · .* m?s$/.test(l)) && {labels}.some(l => /^[12] blocked$/.test(l))", "fill, age and senders")
            self.assertIn("blocked sending to 'pack'", browser.ask(f"{node('price')}.getAttribute('aria-label')"))

            front.post("/knot")
            browser.wait_for("document.querySelectorAll('.node.knot').length === 2", "the knot")
            self.assertTrue(browser.ask(f"{node('left')}.classList.contains('knot') && {node('right')}.classList.contains('knot')"))
            self.assertTrue(browser.ask(f"{line('left', 'right')}.classList.contains('knot')"))
            self.assertIn("wait for each other", browser.ask("byId('alarm').textContent"))
            browser.wait_for(f"!{node('starter')}.classList.contains('running')", "the end of the starter")
            self.picture(browser, "graph_light")
            browser.resize(1200, 520)
            browser.wait_for("innerHeight === 520", "the new size")
            browser.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            browser.picture(FOLDER / "graph_small.png")
            browser.resize(1440, 900)
            self.keyboard(browser)
            self.theme(browser)
            self.assertEqual(browser.problems, [])
            self.stale(front, browser)

    def keyboard(self, browser):
        browser.ask("picture.focus(page.look.nodes.findIndex(n => n.name === 'price'))")
        browser.press("ArrowRight")
        focused = "page.look.nodes[Number(document.activeElement.dataset.node)].name"
        self.assertEqual(browser.ask(focused), "pack")
        browser.press("ArrowLeft")
        self.assertEqual(browser.ask(focused), "price")
        browser.press("Enter")
        browser.wait_for("!byId('panel').hidden && page.detail", "the panel")
        shown = browser.ask("byId('panel').textContent")
        for said in ("price", "blocked sending to 'pack'", "bounded(64", "actor "):
            self.assertIn(said, shown)
        self.assertRegex(shown, r"Last events of actor \d+[^L]*took (\d+ × )?parcel")
        browser.press("Escape")
        self.assertTrue(browser.ask("byId('panel').hidden"))
        self.assertEqual(browser.ask(focused), "price", "the focus comes back")
        self.assertEqual(browser.ask("picture.svg.querySelectorAll('.node[tabindex=\"0\"]').length"), 1, "the graph is one stop for the tab key")
        browser.press("/")
        browser.call("Input.insertText", text="cler")
        self.assertEqual(browser.ask("byId('found').textContent"), "1 found")
        browser.press("Enter")
        browser.ask("byId('search').value = ''; search(); picture.fit(); 0")
        browser.click(f".node[data-node='{browser.ask('page.look.nodes.findIndex(n => n.name === `clerk`)')}'] .box")
        browser.wait_for("/parcel \\d+ has no address/.test(byId('panel').textContent)", "the last failure")

    def theme(self, browser):
        browser.prefer("dark")
        browser.wait_for("document.documentElement.dataset.theme === 'dark'", "the system's theme")
        browser.ask("choose(page.look.nodes.findIndex(n => n.name === 'left'), false); 0")
        browser.wait_for("byId('panel').textContent.includes('held up by') && page.detail", "who holds up whom")
        self.picture(browser, "graph_dark")
        browser.click("#theme")
        self.assertEqual(browser.ask("document.documentElement.dataset.theme"), "light", "a choice goes before the system's")

    def stale(self, front, browser):
        front.stop()
        browser.wait_for("byId('link').classList.contains('stale')", "that nothing comes any more")
        self.assertIn("no connection", browser.ask("byId('link-text').textContent"))
        self.picture(browser, "graph_stale")

    def test_shows_what_runs_in_another_process_and_whether_that_is_up(self):
        with Front() as front, Browser() as browser:
            self.opened(front, browser)
            self.assertTrue(browser.ask("byId('places').hidden && document.querySelector('.split').hidden"), "a graph that is whole")
            if "split" not in browser.ask("[...byId('graphs').options].map(o => o.value)"):
                self.skipTest("a build without nodes")
            browser.ask("byId('graphs').value = 'split'; byId('graphs').onchange(); 0")
            browser.wait_for("page.look.name === 'split' && !byId('places').hidden", "the processes")
            self.assertEqual(browser.ask("[...byId('places').children].map(p => p.textContent)"), ["shop here", "bank down"])
            self.assertTrue(browser.ask(f"{node('book')}.classList.contains('elsewhere') && {node('book')}.classList.contains('away')"))
            self.assertIn("on bank, down", browser.ask(f"{node('book')}.getAttribute('aria-label')"))
            self.assertFalse(browser.ask(f"{node('relay')}.classList.contains('elsewhere')"))
            self.assertTrue(browser.ask(f"{line('relay', 'book')}.classList.contains('crosses')"))
            self.assertFalse(browser.ask(f"{line('drip', 'relay')}.classList.contains('crosses')"))
            browser.ask("choose(page.look.nodes.findIndex(n => n.name === 'book'), false); 0")
            browser.wait_for("/bankdown127.0.0.1:\\d+/.test(byId('panel').textContent)", "the address in the panel")
            browser.wait_for(f"{line('relay', 'book')}.classList.contains('f4')", "the edge that fills up")
            self.picture(browser, "graph_split")
            front.post("/bank")
            browser.wait_for("byId('places').textContent === 'shop herebank up'", "that the other process is up")
            browser.wait_for(f"!{node('book')}.classList.contains('away') && !{line('relay', 'book')}.classList.contains('f4')", "that it flows")
            self.assertEqual(browser.problems, [])

    def test_draws_a_thousand_nodes(self):
        with Front() as front, Browser() as browser:
            self.opened(front, browser)
            browser.ask("byId('graphs').value = 'thousand'; byId('graphs').onchange(); 0")
            browser.wait_for("page.look.name === 'thousand' && picture.nodes.length === 1000", "a thousand nodes")
            drawn = browser.ask("picture.nodes.map(n => n.group).every((g, n) => (g.mark = n, true))")
            self.assertTrue(drawn)
            browser.wait_for("document.querySelectorAll('.edge.f4').length >= 4", "the slow ones hold up others")
            before = browser.ask("page.polls")
            browser.wait_for(f"page.polls > {before} + 1", "more polls")
            self.assertTrue(browser.ask("[...document.querySelectorAll('.node')].every((g, n) => g.mark === n)"), "a poll has made nodes anew")
            self.picture(browser, "graph_thousand")
            browser.ask("byId('search').value = 'stage 12.39'; search(); 0")
            self.assertEqual(browser.ask("byId('found').textContent"), "1 found")
            browser.ask("picture.reveal(page.look.nodes.findIndex(n => n.name === 'stage 12.4'), true); byId('search').value = ''; search(); 0")
            self.picture(browser, "graph_thousand_near")
            self.assertEqual(browser.problems, [])


if __name__ == "__main__":
    FOLDER = Path(sys.argv.pop(2))
    FRONT = sys.argv.pop(1)
    debian = "/usr/bin/python3"  # the Python that Debian's packages are for, if another one comes first
    if websockets is None and os.path.exists(debian) and "retried" not in sys.argv:
        os.execv(debian, [debian, __file__, FRONT, str(FOLDER), "retried"])
    if not (BROWSER and websockets):
        sys.exit(77)
    sys.argv = sys.argv[:1]
    FOLDER.mkdir(parents=True, exist_ok=True)
    unittest.main(verbosity=2)
