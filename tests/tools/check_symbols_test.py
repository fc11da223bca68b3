#!/usr/bin/env python3
"""Tests of tools/check_symbols.py: each compiles a few lines with one fault and looks for the sentence about it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
import check_symbols  # noqa: E402 (the line before says where it is)

SHOWN = '__attribute__((visibility("default")))'


class CheckSymbols(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def compile(self, text, name="libgreenroom_runtime.a"):
        source, library = Path(self.folder.name) / "part.cpp", Path(self.folder.name) / name
        source.write_text(text)
        how = ["g++", "-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", source]
        if name.endswith(".a"):
            subprocess.run([*how, "-c", "-o", source.with_suffix(".o")], check=True)
            subprocess.run(["ar", "rc", library, source.with_suffix(".o")], check=True)
        else:
            subprocess.run([*how, "-shared", "-o", library], check=True)
        return library

    def faults(self, text, name="libgreenroom_runtime.a"):
        done = subprocess.run([sys.executable, TOOLS / "check_symbols.py", self.compile(text, name)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode == 0, not done.stderr, done.stdout + done.stderr)
        return done.stderr

    def test_what_a_header_marks_may_be_seen(self):
        self.assertEqual(self.faults(f"namespace greenroom {{ struct {SHOWN} actor_system {{ void stop(); }}; void actor_system::stop() {{}} }}"), "")

    def test_hidden_functions_and_constants_are_nobodys_business(self):
        self.assertEqual(self.faults("namespace greenroom::internal { int f(int n) { static const int table[] = {1, 2}; return table[n]; } }"), "")

    def test_a_function_that_no_header_marks_is_seen(self):
        self.assertIn("exports greenroom::sneaked_out(), which no header marks",
                      self.faults(f"namespace greenroom {{ {SHOWN} void sneaked_out() {{}} }}"))

    def test_what_is_internal_is_seen_also_in_a_shared_library(self):
        text = f"namespace greenroom::http::internal {{ {SHOWN} void f() {{}} }}"
        for name in ("libgreenroom_http.a", "libgreenroom_http.so"):
            self.assertIn("exports greenroom::http::internal::f(), which is internal", self.faults(text, name))

    def test_a_template_of_an_internal_type_is_seen(self):
        self.assertIn("which is internal", self.faults(
            f"namespace greenroom::internal {{ template <class T> struct {SHOWN} box {{ void f() {{}} }}; template struct box<int>; }}"))

    def test_what_belongs_to_others_is_seen(self):
        self.assertIn("exports fmt::format(), which is somebody else's", self.faults(f"namespace fmt {{ {SHOWN} void format() {{}} }}"))

    def test_instances_of_std_may_be_seen(self):
        self.assertEqual(self.faults("#include <vector>\ntemplate class std::vector<long long>;"), "")

    def test_variables_are_seen(self):
        for text in ("int counter = 3;", "int counter;", "thread_local int counter;", "static int counter; int next() { return ++counter; }",
                     "int next() { static int counter; return ++counter; }", "#include <string>\nstd::string counter;"):
            self.assertIn("counter", self.faults(f"namespace greenroom {{ {text} }}" if "#" not in text else text))

    def test_a_constant_table_of_pointers_is_no_variable(self):
        self.assertEqual(self.faults('namespace greenroom { const char* name(int n) { static const char* const all[] = {"a", "b"}; return all[n]; } }'), "")

    def test_variables_on_the_list_are_none(self):
        self.assertEqual(self.faults("namespace greenroom::detail { thread_local int pauses_before_locks; int f() { return ++pauses_before_locks; } }"), "")

    def test_a_part_of_a_variable_goes_by_the_name_of_the_whole(self):
        self.assertEqual(self.faults('int part asm("_ZN9greenroom6detail19pauses_before_locksE.0");'), "")
        self.assertIn("has the variable greenroom::counter:", self.faults('int part asm("_ZN9greenroom7counterE.1");'))

    def test_a_shared_library_without_its_version_is_seen(self):
        self.assertIn("its soname is missing, and should be libgreenroom_http.so.", self.faults("", "libgreenroom_http.so"))

    def test_scopes_of_mangled_names(self):
        for mangled, scope in (("_ZN9greenroom4http6server5startEv", ["greenroom", "http", "server", "start"]),
                               ("_ZNK9greenroom8internal3boxIiE1fEv", ["greenroom", "internal", "box"]),
                               ("_ZTVN9greenroom5clockE", ["greenroom", "clock"]),
                               ("_ZThn8_N9greenroom5clockD0Ev", ["greenroom", "clock", "operator or constructor"]),
                               ("_ZNSt6vectorIN9greenroom5clockEE3endEv", ["std"]),
                               ("_ZN3fmt6formatEv", ["fmt", "format"])):
            self.assertEqual(check_symbols.scope_of(mangled), scope)


if __name__ == "__main__":
    unittest.main()
