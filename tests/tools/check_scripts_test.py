#!/usr/bin/env python3
"""Tests of the check scripts: each plants one fault in a small tree and looks for the sentence about it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"

GOOD_HEADER = """// A thing: what it is for.
// When to use it: never.
// Thread safety: any thread.
#pragma once
"""


class CheckScripts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.write("runtime/base.hpp", GOOD_HEADER)
        self.write("actors/user.hpp", GOOD_HEADER + "#include <greenroom/runtime/base.hpp>\n")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run_tool(self, name, *arguments):
        done = subprocess.run([sys.executable, TOOLS / name, *map(str, arguments)],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_clean(self, name):
        code, output = self.run_tool(name, self.root)
        self.assertEqual(code, 0, output)

    def assert_fault(self, name, sentence):
        code, output = self.run_tool(name, self.root)
        self.assertEqual(code, 1, output)
        self.assertIn(sentence, output)

    def test_a_clean_tree_has_no_fault(self):
        for name in ("check_layers.py", "check_headers.py", "check_rules.py"):
            self.assert_clean(name)

    # check_layers

    def layer_fault(self, name, include, sentence):
        self.write(name, GOOD_HEADER + include + "\n")
        self.assert_fault("check_layers.py", sentence)

    def test_layers_reject_an_upward_include(self):
        self.layer_fault("runtime/low.hpp", "#include <greenroom/actors/user.hpp>", "runtime must not include actors")

    def test_layers_reject_a_relative_include(self):
        self.layer_fault("runtime/low.hpp", '#include "base.hpp"', "runtime/low.hpp:5: base.hpp: own headers")

    def test_layers_reject_a_missing_header(self):
        self.layer_fault("runtime/low.hpp", "#include <greenroom/runtime/gone.hpp>", "no such header")

    def test_layers_reject_caf_in_a_public_header(self):
        self.layer_fault("runtime/low.hpp", "#include <caf/all.hpp>", "CAF is allowed only in")

    def test_layers_reject_openssl_outside_of_its_place(self):
        self.layer_fault("runtime/low.hpp", "#include <openssl/ssl.h>", "OpenSSL is allowed only in")

    def test_layers_reject_spdlog_outside_of_the_log(self):
        self.layer_fault("actors/low.hpp", "#  include <spdlog/spdlog.h>", "spdlog is allowed only in")

    def test_layers_reject_internal_headers_of_another_folder(self):
        self.write("runtime/internal/secret.hpp", "#pragma once\n")
        self.layer_fault("actors/low.hpp", "#include <greenroom/runtime/internal/secret.hpp>",
                         "internal headers of runtime are for runtime alone")

    def test_layers_let_an_example_of_several_files_include_its_own(self):
        self.write("examples/shop/prices.hpp", "#pragma once\n")
        self.write("examples/shop/main.cpp", '#include "prices.hpp"\n')
        self.assert_clean("check_layers.py")
        self.write("examples/shop/main.cpp", '#include "orders.hpp"\n')
        self.assert_fault("check_layers.py", "there is no such header")
        self.write("examples/main.cpp", '#include "shop/prices.hpp"\n')
        self.assert_fault("check_layers.py", "examples/main.cpp:1: shop/prices.hpp: own headers")

    def test_layers_leave_a_project_of_users_to_its_own_headers(self):
        self.write("tools/greenroom/new_project/tests/one_test.cpp", '#include "graph.hpp"\n#include <greenroom/testkit/explore.hpp>\n')
        self.assert_clean("check_layers.py")
        self.layer_fault("tools/greenroom/other/one.cpp", '#include "graph.hpp"', "own headers are included as <greenroom/folder/file.hpp>")

    def test_layers_reject_detail_in_examples(self):
        self.write("runtime/detail/part.hpp", "#pragma once\n")
        self.layer_fault("examples/one.cpp", "#include <greenroom/runtime/detail/part.hpp>", "never detail/")

    def test_layers_reject_a_circle_of_includes(self):
        self.write("runtime/a.hpp", "#include <greenroom/runtime/b.hpp>\n")
        self.write("runtime/b.hpp", "#include <greenroom/runtime/c.hpp>\n")
        self.write("runtime/c.hpp", "#include <greenroom/runtime/a.hpp>\n")
        self.assert_fault("check_layers.py", "in a circle: runtime/a.hpp, runtime/b.hpp, runtime/c.hpp")

    def test_layers_allow_caf_where_it_belongs(self):
        for name in ("runtime/internal/a.cpp", "runtime/caf.hpp", "tests/caf/a_test.cpp", "tools/bench/caf_bench.cpp",
                     "examples/08_beside_caf.cpp"):
            self.write(name, "#include <caf/all.hpp>\n")
        self.assert_clean("check_layers.py")

    # check_headers

    def test_headers_reject_one_that_does_not_compile_alone(self):
        self.write("runtime/low.hpp", GOOD_HEADER + "inline std::string name() { return {}; }\n")
        self.assert_fault("check_headers.py", "runtime/low.hpp: does not compile alone")

    def test_headers_reject_one_without_file_comment(self):
        self.write("runtime/low.hpp", "#pragma once\n// Thread safety: none.\n")
        self.assert_fault("check_headers.py", "runtime/low.hpp: has no file comment")

    def test_headers_reject_one_without_thread_safety(self):
        self.write("runtime/low.hpp", GOOD_HEADER.replace("Thread safety", "Threads"))
        self.assert_fault("check_headers.py", 'runtime/low.hpp: does not say "Thread safety:"')

    def test_headers_reject_one_that_is_too_long(self):
        self.write("runtime/low.hpp", GOOD_HEADER + "\n" * 400)
        self.assert_fault("check_headers.py", "runtime/low.hpp: 404 lines, at most 400")

    # check_rules

    def rule_fault(self, name, text, sentence):
        self.write(name, text)
        self.assert_fault("check_rules.py", sentence)

    def test_rules_reject_a_sleeping_test(self):
        self.rule_fault("tests/runtime/a_test.cpp", "void f() { std::this_thread::sleep_for(1s); }\n",
                        "tests/runtime/a_test.cpp:1: a test waits for an event")

    def test_rules_allow_sleep_in_stress_tests_and_in_actors(self):
        self.write("tests/stress/a_test.cpp", "void f() { std::this_thread::sleep_for(1s); }\n")
        self.write("tests/actors/a_test.cpp", "// no this_thread::sleep_for\ntask<> f() { co_await sleep_for(1s); }\n")
        self.assert_clean("check_rules.py")

    def test_rules_reject_a_capturing_coroutine_lambda(self):
        self.rule_fault("examples/a.cpp", "auto f = [&x](mailbox<int> in) -> task<> { co_return; };\n",
                        "examples/a.cpp:1: a coroutine lambda has no captures")

    def test_rules_allow_a_plain_coroutine_lambda(self):
        self.write("examples/a.cpp", "auto f = [](mailbox<int> in) -> task<> { co_return; };\n")
        self.assert_clean("check_rules.py")

    def test_rules_reject_a_folder_of_one_machine(self):
        self.rule_fault("README.md", "See /" + "home/somebody/notes.\n", "README.md:1: no machine's folder")

    def test_rules_reject_a_todo_without_issue(self):
        self.rule_fault("runtime/a.cpp", "// TO" + "DO: later\n", "a TODO carries its issue")

    def test_rules_keep_versions_of_caf_in_one_place(self):
        for name in ("CAF_VERSION", "CAF_VERSION_MAJOR", "CAF_MAJOR_VERSION", "GREENROOM_CAF"):
            self.rule_fault("http/a.cpp", f"// CAF_VERSION\n#if {name} >= 1800\n#endif\n",
                            "http/a.cpp:2: what differs between versions of CAF stands in")
        self.write("http/a.cpp", "")
        self.rule_fault("runtime/internal/caf_errors.cpp", "#if CAF_VERSION >= 1800\n#endif\n", "(found: CAF_VERSION)")
        self.write("runtime/internal/caf_errors.cpp", "#if GREENROOM_CAF >= 1800\n#endif\n")
        self.write("runtime/internal/caf_version.hpp", "#define GREENROOM_CAF CAF_VERSION\n")
        self.assert_clean("check_rules.py")

    # check_example

    def example(self, expected, script, name="a.out"):
        program = self.write("program", "#!/usr/bin/env python3\n" + script)
        program.chmod(0o755)
        return self.run_tool("check_example.py", program, self.write(name, expected), "--timeout=5")

    def test_an_example_that_prints_what_is_expected_passes(self):
        self.assertEqual(self.example("one\ntwo\n", "print('one'); print('two')\n"), (0, ""))

    def test_an_example_is_compared_exactly(self):
        for text in ("one\n", "two\none\n", "one\ntwo"):
            code, output = self.example(text, "print('one'); print('two')\n")
            self.assertEqual(code, 1)
            self.assertIn("The output differs", output)

    def test_an_unordered_example_is_compared_as_a_set_of_lines(self):
        self.assertEqual(self.example("#! unordered\ntwo\none\n", "print('one'); print('two')\n")[0], 0)
        self.assertEqual(self.example("#! unordered\ntwo\n", "print('one'); print('two')\n")[0], 1)

    def test_an_example_that_fails_or_hangs_is_reported(self):
        code, output = self.example("", "raise SystemExit(3)\n")
        self.assertEqual(code, 1)
        self.assertIn("ended with code 3", output)
        program = self.write("program", "#!/usr/bin/env python3\nimport threading\nthreading.Event().wait()\n")
        program.chmod(0o755)
        code, output = self.run_tool("check_example.py", program, self.write("a.out", ""), "--timeout=0.5")
        self.assertEqual(code, 1)
        self.assertIn("did not end in 0.5 s", output)

    def test_a_judge_gets_the_output(self):
        judge = "import sys\nsys.exit(0 if sys.stdin.read() == 'one\\n' else 1)\n"
        self.assertEqual(self.example(judge, "print('one')\n", "a.check.py")[0], 0)
        self.assertEqual(self.example(judge, "print('two')\n", "a.check.py")[0], 1)

    # check_compile_fail

    def compile_fail(self, text):
        return self.run_tool("check_compile_fail.py", self.write("program.cpp", text))

    def test_a_program_that_fails_as_expected_passes(self):
        self.assertEqual(
            self.compile_fail("// expect: no.*here\n#ifndef GREENROOM_CONTROL\nstatic_assert(false, \"no, not here\");\n"
                              "#endif\n"), (0, ""))

    def test_a_program_that_compiles_is_a_fault(self):
        self.assertIn("compiles, but should not", self.compile_fail("// expect: x\n// GREENROOM_CONTROL\n")[1])

    def test_a_program_that_fails_for_another_reason_is_a_fault(self):
        text = "// expect: nothing like it\n#ifndef GREENROOM_CONTROL\nint x = y;\n#endif\n"
        self.assertIn("fails without saying", self.compile_fail(text)[1])

    def test_a_program_whose_control_fails_is_a_fault(self):
        text = "// expect: GREENROOM_CONTROL\nint x = y;\n"
        self.assertIn("the control does not compile", self.compile_fail(text)[1])


if __name__ == "__main__":
    unittest.main()
