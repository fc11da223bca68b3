"""What a stranger does in the first ten minutes: installs, makes a project, builds and tests it, runs it and asks it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from program import Program, expect  # noqa: E402

MINUTES = 10


class Adopt:
    def adopt(self):
        """An installed prefix, and an empty folder beside it. Also a step of .ci/run."""
        with tempfile.TemporaryDirectory() as folder:
            self.prefix, self.empty = Path(folder) / "prefix", Path(folder) / "empty"
            self.empty.mkdir()
            # A compiler cache would make it a promise about the cache.
            self.environment = {**os.environ, "PATH": f"{self.prefix / 'bin'}:{os.environ['PATH']}", "CCACHE_DISABLE": "1"}
            taken = {step.__name__.strip("_"): self._timed(step) for step in
                     (self._install, self._new, self._configure, self._build, self._test, self._run_and_ask)}
            total = sum(taken.values())
            self.say(total < MINUTES * 60, f"from an installed prefix to a service of one's own that answers: < {MINUTES} minutes",
                     f"{total:.0f} s: " + ", ".join(f"{name.replace('_', ' ')} {seconds:.1f}" for name, seconds in taken.items()))

    def _timed(self, step):
        started = time.monotonic()
        step()
        return time.monotonic() - started

    def _call(self, *command, folder=None):
        done = subprocess.run(list(map(str, command)), cwd=folder or self.empty / "shop", env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def _install(self):
        self._call("cmake", "--install", self.build.resolve(), "--prefix", self.prefix, folder=self.empty)
        for place in ("bin/greenroom", "share/man/man1/greenroom.1", "share/bash-completion/completions/greenroom",
                      "share/zsh/site-functions/_greenroom", "share/fish/vendor_completions.d/greenroom.fish"):
            expect((self.prefix / place).is_file(), True, place)

    def _new(self):
        made = json.loads(self._call("greenroom", "new", "shop", "--json", folder=self.empty))
        expect(made["prefix"], str(self.prefix), "the prefix that `greenroom new` found")

    def _configure(self):
        self._call("cmake", "--preset", "release", f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON")

    def _build(self):
        self._call("cmake", "--build", "--preset", "release")

    def _test(self):
        printed = self._call("ctest", "--preset", "release")
        expect("100% tests passed" in printed, True, printed)

    def _run_and_ask(self):
        shop = self.empty / "shop"
        with Program(shop / "build/release/shop", "--config", shop / "shop.toml", "--port", "0", "--log-level", "error") as service:
            order = service.ask("/v1/orders", "POST", '{"item":"tea","pieces":2}', Content_Type="application/json")
            expect((order[0], json.loads(order[2])), (200, {"number": 1, "cents": 500}), "the answer to an order")
            expect(service.json("/v1/totals"), {"orders": 1, "cents": 500}, "the totals")
            expect(service.ask("/v1/orders", "POST", "{}", Content_Type="application/json")[0], 422, "an order of nothing")
            expect((service.body("/healthz"), service.body("/readyz")), ("ok\n", "ready\n"), "the probes")
            expect('http_requests_total{method="POST",route="/v1/orders",status="2xx"} 1' in service.body("/metrics"), True, "the metrics")
            expect([node["name"] for node in service.json("/graph.json")["nodes"]], ["price", "book"], "the nodes of the graph")
            expect("<html" in service.body("/graph"), True, "the page of the graph")
            expect("book" in self._call("greenroom", "top", service.url, "--once", "--every", "100ms", folder=self.empty), True, "top")
            expect(service.stop(), (0, ""), "the end at SIGTERM")
        self._call("cmake", "--install", shop / "build/release", "--prefix", self.empty / "installed")
        if shutil.which("systemd-analyze"):
            self._check_unit(self.empty / "installed/lib/systemd/system/shop.service")

    def _check_unit(self, unit):
        """As it stands it names /usr/local, where nothing was installed: systemd wants to see the program."""
        text = unit.read_text()
        expect("ExecStart=/usr/local/bin/shop --config /usr/local/etc/shop/shop.toml" in text, True, text)
        unit.write_text(text.replace("/usr/local/bin/shop", str(self.empty / "installed/bin/shop")))
        expect(self._call("systemd-analyze", "verify", unit), "", "what systemd says of the unit")
