#!/usr/bin/env python3
"""Asks the front with clients that are not ours: a browser (headless Chromium), python3-websockets, http.client and ssl.

    web_test.py FRONT

What is not installed is left out, and named; with nothing of it the exit code is 77, which ctest counts as skipped.
"""

import asyncio
import http.client
import json
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

try:
    import websockets
except ImportError:
    websockets = None

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
OPENSSL = shutil.which("openssl")


class Front:
    """The server, with or without TLS."""

    def __init__(self, secure):
        self.folder = tempfile.TemporaryDirectory()
        arguments = []
        if secure:
            arguments = [Path(self.folder.name, name) for name in ("chain.pem", "key.pem")]
            subprocess.run([OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                            "-out", arguments[0], "-keyout", arguments[1]], check=True, capture_output=True)
            self.trust = ssl.create_default_context(cafile=arguments[0])
        else:
            self.trust = None
        self.process = subprocess.Popen([FRONT, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.address = self.url.split("//")[1]

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.stdin.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        self.folder.cleanup()
        assert code == 0 or why[0], f"the front ended with {code}"

    def report(self):
        """What a page reports, waited for."""
        line = self.process.stdout.readline()
        assert line.startswith("report "), line
        return json.loads(line[len("report "):])


class Browser:
    def __init__(self, url):
        self.profile = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
             "--ignore-certificate-errors", f"--user-data-dir={self.profile.name}", "--remote-debugging-port=0", url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.profile.name, ignore_errors=True)


class Web(unittest.TestCase):
    def with_each_front(self, check):
        for secure in (False, True) if OPENSSL else (False,):
            with self.subTest(secure=secure), Front(secure) as front:
                check(front)

    @unittest.skipUnless(BROWSER, "no Chromium here")
    def test_a_browser_gets_events_messages_and_bodies(self):
        self.with_each_front(self.browse)

    def browse(self, front):
        late = threading.Timer(120, front.process.kill)
        late.start()
        with Browser(front.url + "/"):
            seen = front.report()
        late.cancel()
        self.assertEqual(seen["events"], ["1=tick", "2=tick", "3=tick", "4=tick"], "it came back with Last-Event-ID")
        self.assertEqual(seen["websocket"], ["loud", "h\u00e9llo", 300000, 4000, True])
        self.assertEqual(seen["stream"], 1_000_000)
        self.assertEqual(seen["upload"], "2000000")

    @unittest.skipUnless(websockets, "no python3-websockets here")
    def test_python_websockets_talk_with_it(self):
        self.with_each_front(lambda front: asyncio.run(self.talk(front)))

    async def talk(self, front):
        url = front.url.replace("http", "ws") + "/echo"
        async with websockets.connect(url, ssl=front.trust, subprotocols=["loud"], max_size=2**21) as ws:
            self.assertEqual(ws.subprotocol, "loud")
            for message in ("", "text", "\u00fcnicode \U0001f600", b"", bytes(range(256)), "x" * 1_000_000):
                await ws.send(message)
                self.assertEqual(await ws.recv(), message)
            await ws.send(["in ", "three ", "frames"])
            self.assertEqual(await ws.recv(), "in three frames")
            await asyncio.wait_for(await ws.ping(b"there?"), 20)
        self.assertEqual(ws.close_code, 1000)
        with self.assertRaises(websockets.exceptions.InvalidStatusCode) as refused:
            await websockets.connect(url, ssl=front.trust, origin="http://elsewhere.example")
        self.assertEqual(refused.exception.status_code, 403)
        async with websockets.connect(url, ssl=front.trust, max_size=None) as ws:
            await ws.send("x" * 1_100_000)
            with self.assertRaises(websockets.exceptions.ConnectionClosed):
                await ws.recv()
            self.assertEqual(ws.close_code, 1009)

    @unittest.skipUnless(OPENSSL, "no openssl here")
    def test_pythons_own_client_speaks_tls_with_it(self):
        with Front(True) as front:
            line = http.client.HTTPSConnection(front.address, context=front.trust, timeout=20)
            for _ in range(3):
                line.request("GET", "/stream")
                self.assertEqual(len(line.getresponse().read()), 1_000_000)
            line.request("POST", "/upload", body=iter([b"abc"] * 1000))
            self.assertEqual(line.getresponse().read(), b"3000")
            line.close()
            with self.assertRaises(ssl.SSLError):
                plain = http.client.HTTPSConnection(front.address, context=ssl.create_default_context(), timeout=20)
                plain.request("GET", "/")


if __name__ == "__main__":
    FRONT = sys.argv.pop(1)
    if not (BROWSER or websockets or OPENSSL):
        sys.exit(77)
    unittest.main(verbosity=2)
