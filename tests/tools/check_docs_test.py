#!/usr/bin/env python3
"""Tests of the checks of documents: each plants one fault in a small tree and looks for the sentence about it."""

import importlib.machinery
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

from docs.doxygen_filter import convert  # noqa: E402
from docs.pages import anchors, links  # noqa: E402
from docs.tables import table_of  # noqa: E402

HEADER = """// thing: what it is.
//
//   thing t;       // an example
//
// Thread safety: any thread.
#pragma once

namespace greenroom {

/// A thing. Waits: never.
struct thing {
  int size = 1; ///< how large it is
  /// Longest wait. Longer is slower.
  std::chrono::milliseconds limit{30'000};
};

} // namespace greenroom
"""


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("runtime/thing.hpp", HEADER)
        self.write("docs/snippets/thing.cpp", "int main() {}\n")
        self.write("docs/snippets/thing.out", "nothing\n")
        self.write("tools/docs/mkdocs.yml", "nav:\n  - index.md\n  - Thing: thing.md\n")
        self.write("tools/run", "")
        self.write("tools/greenroom/main.cpp", 'usage = R"(\n  greenroom top URL   shows it\n)";\n')
        self.write("CMakePresets.json", '{"configurePresets": [{"name": "release"}]}')
        self.write("docs/index.md", "# Index\n\n[the thing](thing.md#what-it-does)\n")
        self.page("")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def page(self, more):
        self.write("docs/thing.md", "# Thing\n\n## What it does\n\n[thing.hpp](../runtime/thing.hpp)\n\n"
                   "<!-- code: docs/snippets/thing.cpp -->\n```cpp\nint main() {}\n```\n\n"
                   "<!-- code: docs/snippets/thing.out -->\n```text\nnothing\n```\n\n" + more)

    def run_tool(self, name, *arguments):
        done = subprocess.run([sys.executable, TOOLS / name, *map(str, arguments)], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_fault(self, sentence, name="check_docs.py"):
        code, output = self.run_tool(name, self.root)
        self.assertEqual(code, 1, output)
        self.assertIn(sentence, output)


class CheckDocs(Tree):
    def test_a_clean_tree_has_no_fault(self):
        code, output = self.run_tool("check_docs.py", self.root)
        self.assertEqual(code, 0, output)

    def test_a_link_to_no_file_is_found(self):
        self.page("See [the other](other.md).\n")
        self.assert_fault("docs/thing.md:17: the link to other.md leads nowhere")

    def test_a_link_to_no_heading_is_found(self):
        self.page("See [above](#what-it-is).\n")
        self.assert_fault("the link to #what-it-is: no heading has that anchor")

    def test_a_link_in_code_is_none(self):
        self.page("`[a](nowhere.md)`\n\n```text\n[a](nowhere.md)\n```\n")
        self.assertEqual(self.run_tool("check_docs.py", self.root)[0], 0)

    def test_code_that_differs_from_its_source_is_found_and_mended(self):
        self.write("docs/snippets/thing.cpp", "int main() { return 0; }\n")
        self.assert_fault("what follows differs from docs/snippets/thing.cpp")
        code, output = self.run_tool("check_docs.py", "--fix", self.root)
        self.assertEqual(code, 0, output)
        self.assertIn("int main() { return 0; }", (self.root / "docs/thing.md").read_text())

    def test_a_part_of_a_source_is_taken_by_its_first_and_last_lines(self):
        self.write("runtime/thing.cpp", "int a;\nint f() {\n  return 1;\n}\nint b;\n")
        self.page('<!-- code: runtime/thing.cpp from "int f" to "^}" -->\n')
        self.run_tool("check_docs.py", "--fix", self.root)
        self.assertIn("```cpp\nint f() {\n  return 1;\n}\n```\n", (self.root / "docs/thing.md").read_text())
        self.page('<!-- code: runtime/thing.cpp from "int g" to "^}" -->\n')
        self.assert_fault("runtime/thing.cpp: no line has 'int g'")

    def test_a_table_that_differs_from_its_struct_is_found_and_mended(self):
        self.page("<!-- table: runtime/thing.hpp thing -->\n| option | default | what it is |\n| --- | --- | --- |\n| `size` | 2 | How large it is |\n")
        self.assert_fault("what follows differs from runtime/thing.hpp")
        self.run_tool("check_docs.py", "--fix", self.root)
        self.assertIn("| `size` | 1 | How large it is |\n| `limit` | 30 s | Longest wait |\n", (self.root / "docs/thing.md").read_text())

    def test_a_command_that_is_not_there_is_found(self):
        for line, sentence in (("tools/runs", "there is no tools/runs"), ("$ greenroom tops URL", "greenroom has no verb 'tops'"),
                               ("build/release/examples/09_none", "nothing builds build/release/examples/09_none"),
                               ("cmake --preset fast", "there is no preset 'fast'")):
            self.page(f"```sh\n{line}\n```\n")
            self.assert_fault(sentence)
            self.page(f"    {line}\n")
            self.assert_fault(sentence)

    def test_commands_that_are_there_are_fine(self):
        self.page("```sh\ntools/run --port 0\n$ greenroom top URL\ncmake --preset release && cmake --build --preset release\n```\n")
        self.assertEqual(self.run_tool("check_docs.py", self.root)[0], 0)

    def test_a_header_that_no_page_names_is_found(self):
        self.write("runtime/other.hpp", HEADER)
        self.assert_fault("runtime/other.hpp: no page of docs/ names it")

    def test_a_program_that_no_page_shows_is_found(self):
        self.write("docs/snippets/other.cpp", "")
        self.assert_fault("docs/snippets/other.cpp: no page shows it")

    def test_a_page_that_nothing_leads_to_is_found(self):
        self.write("docs/lost.md", "# Lost\n")
        self.assert_fault("docs/lost.md: no link leads there from docs/index.md")
        self.assert_fault("docs/lost.md: tools/docs/mkdocs.yml does not list it")

    def test_a_metric_that_no_source_has_is_found(self):
        self.page("`rate(greenroom_things_total[5m])`\n")
        self.assert_fault("no source has greenroom_things_total")
        self.write("http/metrics.cpp", 'counter("greenroom_things_total");\n')
        self.assertEqual(self.run_tool("check_docs.py", self.root)[0], 0)


class Pieces(unittest.TestCase):
    def test_anchors_are_those_that_github_and_mkdocs_agree_on(self):
        self.assertEqual(anchors("# The `live` page\n\n## A & B\n\n## Twice\n\n## Twice\n"), {"the-live-page", "twice"})

    def test_links_of_pictures_in_links_are_seen(self):
        self.assertEqual([target for _, target in links("[![a](b.png)](c.md) [d](e.md)\n")], ["c.md", "b.png", "e.md"])

    def test_defaults_are_said_to_people(self):
        text = "\nstruct s {\n  /// Longest pause. Longer is slower.\n  duration pause = std::chrono::milliseconds(1500);\n  /// C: d, and e. Units: bytes.\n  std::size_t most = 1'048'576;\n" \
               "  bool on = true; ///< whether it is\n  int undocumented = 3;\n};\n"
        self.assertEqual(table_of("a.hpp", text, "s")[2:],
                         ["| `pause` | 1500 ms | Longest pause |", "| `most` | 1,048,576 | C: d, and e |", "| `on` | yes | Whether it is |",
                          "| `undocumented` | 3 |  |"])

    def test_members_that_the_format_breaks_off_are_in_tables_too(self):
        text = "\nstruct s {\n  std::chrono::milliseconds beat{\n      500}; ///< how often\n  std::size_t most =\n      4\n      << 20; ///< of each\n  int last = 1; ///< last\n};\n"
        self.assertEqual(table_of("a.hpp", text, "s")[2:], ["| `beat` | 500 ms | How often |", "| `most` | `4 << 20` | Of each |", "| `last` | 1 | Last |"])

    def test_the_filter_keeps_lines_and_makes_labels_paragraphs(self):
        shown = convert(HEADER)
        self.assertEqual(shown.count("\n"), HEADER.count("\n"))
        self.assertIn("/// @thisfile thing: what it is.\n/// @code{.cpp}\n/// thing t;       // an example\n/// @endcode\n", shown)
        self.assertIn("/// @label{Thread safety} any thread.", shown)
        self.assertIn("/// A thing. @label{Waits} never.", shown)

    def test_the_filter_escapes_what_doxygen_would_take_for_a_tag(self):
        self.assertIn(r"/// Takes a task\<\> and \#1, but `a<b>` stays.", convert("#pragma once\n/// Takes a task<> and #1, but `a<b>` stays.\nint f();\n"))


@unittest.skipIf(shutil.which("doxygen") is None, "doxygen is missing")
class CheckReference(Tree):
    def reference(self, body):
        self.write("runtime/thing.hpp", f"// thing: what it is.\n#pragma once\nnamespace greenroom {{\n{body}\n}} // namespace greenroom\n")
        return self.run_tool("check_reference.py", self.root)

    def test_public_names_without_docstrings_are_found(self):
        code, output = self.reference("struct thing {\n  int size = 1;\n  void grow();\n};\nenum class kind { a, b };\nint make();\nusing number = int;\n")
        self.assertEqual(code, 1, output)
        for name in ("thing", "thing::size", "thing::grow", "kind", "kind::a", "make", "number"):
            self.assertIn(f"greenroom::{name} has no docstring", output)
        self.assertIn("runtime/thing.hpp:5: greenroom::thing::size", output)

    def test_what_says_all_by_itself_needs_none(self):
        code, output = self.reference("/// A thing.\nclass thing {\npublic:\n  thing();\n  thing(const thing&);\n  ~thing();\n  explicit operator bool() const;\n"
                                      "  /// Grows.\n  void grow();\n  void grow(int by);\nprivate:\n  int size_;\n};\nnamespace detail {\nint hidden();\n}\n")
        self.assertEqual(code, 0, output)


class BuildDocs(unittest.TestCase):
    def test_links_out_of_docs_become_pages_of_the_site(self):
        loader = importlib.machinery.SourceFileLoader("build_docs", str(TOOLS / "build_docs"))
        build_docs = importlib.util.module_from_spec(importlib.util.spec_from_loader("build_docs", loader))
        sys.dont_write_bytecode = True
        loader.exec_module(build_docs)
        stage = build_docs.Stage(Path("unused"), {"runtime/mailbox.hpp": "mailbox_8hpp.html"})
        text = "[a](../../runtime/mailbox.hpp) [b](../../ARCHITECTURE.md#map) [c](select.md) [d](../../examples/README.md) [e](https://x.y/z.md)\n"
        self.assertEqual(stage.rewritten(Path("docs/blocks/mailboxes.md"), text),
                         "[a](../reference/mailbox_8hpp.html) [b](../project/ARCHITECTURE.md#map) [c](select.md) [d](../project/examples/index.md) [e](https://x.y/z.md)\n")
        self.assertEqual(set(map(str, stage.to_do)), {"ARCHITECTURE.md", "docs/blocks/select.md", "examples/README.md"})


if __name__ == "__main__":
    unittest.main()
