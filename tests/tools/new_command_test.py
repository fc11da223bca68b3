#!/usr/bin/env python3
"""Tests of `greenroom new`: tests/tools/new_command_test.py COMMAND

That a made project builds and passes is tested by .ci/run and by tools/acceptance/run --only adopt, since it takes a minute.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

COMMAND = Path(sys.argv[1]).resolve()
LIMIT = 60  # seconds, for a hang
TEMPLATE = Path(__file__).resolve().parents[2] / "tools" / "greenroom" / "new_project"


class New(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def call(self, *arguments):
        return subprocess.run([COMMAND, "new", *map(str, arguments)], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=LIMIT, check=False)

    def ends_well(self, *arguments):
        done = self.call(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def fails(self, *arguments, code):
        done = self.call(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        return done.stderr

    def files(self, folder):
        return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}

    def test_makes_every_file_of_the_template_under_the_name(self):
        self.ends_well("big-shop")
        made = self.files(self.folder / "big-shop")
        wanted = {path.replace("my-service", "big-shop") for path in self.files(TEMPLATE)}
        self.assertEqual(set(made), wanted)
        for path in ("CMakeLists.txt", "src/main.cpp", "tests/graph_test.cpp", "Dockerfile", ".gitignore", ".clang-format", "big-shop.toml"):
            self.assertIn(path, made)

    def test_leaves_no_placeholder(self):
        self.ends_well("big-shop")
        for path, text in self.files(self.folder / "big-shop").items():
            self.assertNotRegex(path + text, r"(?i)my.service|@GREENROOM", path)

    def test_spells_the_name_as_each_place_wants_it(self):
        self.ends_well("big-shop")
        made = self.files(self.folder / "big-shop")
        self.assertIn("namespace big_shop {", made["src/graph.hpp"])
        self.assertIn("add_executable(big-shop src/main.cpp)", made["CMakeLists.txt"])
        self.assertRegex(made["CMakeLists.txt"], r"find_package\(greenroom \d+\.\d+\.\d+ REQUIRED")
        self.assertIn("BIG_SHOP_HOST", made["Dockerfile"])
        self.assertEqual(tomllib.loads(made["big-shop.toml"])["big-shop"]["port"], 8080)
        json.loads(made["CMakePresets.json"])

    def test_the_unit_waits_longer_for_a_stop_than_the_service_takes(self):
        self.ends_well("shop")
        made = self.files(self.folder / "shop")
        unit = dict(line.split("=", 1) for line in made["packaging/shop.service.in"].splitlines() if "=" in line and line[0] != "#")
        self.assertIn("stop_time = 4s", made["src/settings.cpp"])
        self.assertIn("drain_time{4'000}", made["src/settings.hpp"])
        self.assertGreater(int(unit["TimeoutStopSec"]), 4 + 4 + 5)

    def test_refuses_names_that_nothing_can_be_called(self):
        for name in ("", "Shop", "1shop", "-", "big shop", "shop-", "big--shop", "a__b", "ä", "../shop", "a" * 33, "_shop"):
            self.assertIn("cannot be the name of a project: take", self.fails("--", name, code=2))
        for name in ("class", "std", "greenroom", "test", "all"):
            self.assertIn(f"'{name}' cannot be the name of a project: C++ or CMake has it already", self.fails(name, code=2))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_touches_no_folder_with_something_in_it(self):
        (self.folder / "shop").mkdir()
        (self.folder / "shop" / "README.md").write_text("mine")
        self.assertIn("shop is not empty; --force", self.fails("shop", code=1))
        self.assertEqual(self.files(self.folder / "shop"), {"README.md": "mine"})
        (self.folder / "file").write_text("mine")
        self.assertIn("file is there and no folder", self.fails("other", "--dir", "file", code=1))

    def test_force_makes_what_is_missing_and_overwrites_nothing(self):
        (self.folder / "shop").mkdir()
        (self.folder / "shop" / "README.md").write_text("mine")
        self.assertIn("kept as it was: shop/README.md\n", self.ends_well("shop", "--force"))
        made = self.files(self.folder / "shop")
        self.assertEqual(made["README.md"], "mine")
        self.assertIn("src/main.cpp", made)

    def test_an_empty_folder_will_do_and_so_will_one_that_is_not_there(self):
        (self.folder / "here").mkdir()
        self.ends_well("shop", "--dir", "here")
        self.ends_well("shop", "--dir=a/b/c")
        self.assertEqual(self.files(self.folder / "here"), self.files(self.folder / "a/b/c"))

    def test_a_folder_that_cannot_be_made_is_told(self):
        (self.folder / "file").write_text("")
        self.assertIn("cannot make the folder: file/shop: ", self.fails("shop", "--dir", "file/shop", code=1))

    def test_json_names_what_was_made(self):
        told = json.loads(self.ends_well("shop", "--json"))
        self.assertEqual((told["name"], Path(told["folder"])), ("shop", (self.folder / "shop").resolve()))
        self.assertEqual(set(told["made"]), set(self.files(self.folder / "shop")))
        self.assertEqual(told["kept"], [])
        self.assertEqual(json.loads(self.ends_well("shop", "--force", "--json"))["made"], [])

    def test_the_steps_that_it_prints_are_those_of_the_readme(self):
        printed = self.ends_well("shop")
        readme = (self.folder / "shop" / "README.md").read_text()
        for step in ("cmake --preset release", "cmake --build --preset release", "ctest --preset release", "build/release/shop"):
            self.assertIn(step, printed)
            self.assertIn(step, readme)


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main(argv=sys.argv[:1])
