"""A headless Chromium, driven through its debugging protocol. Needs chromium and python3-websockets."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

try:
    import websockets
except ImportError:
    websockets = None

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 90


class Browser:
    """One page. Calls wait for their answer; wait_for() asks the page until something is so."""

    def __init__(self, width=1440, height=900):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.loop = asyncio.new_event_loop()
        self.process = subprocess.Popen(
            [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars",
             f"--window-size={width},{height}", f"--user-data-dir={self.profile.name}", "--remote-debugging-port=0", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number = 0
        self.problems = []
        self.line = self.loop.run_until_complete(self._connect())
        for what in ("Page.enable", "Runtime.enable", "Log.enable"):
            self.call(what)
        self.resize(width, height)

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    async def _connect(self):
        place = Path(self.profile.name, "DevToolsActivePort")
        end = time.monotonic() + PATIENCE
        while True:
            try:
                port = place.read_text().splitlines()[0]
                pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10))
                target = next(page for page in pages if page["type"] == "page")
                return await websockets.connect(target["webSocketDebuggerUrl"], max_size=None)
            except (OSError, IndexError, StopIteration):
                assert self.process.poll() is None and time.monotonic() < end, "Chromium does not come up"
                await asyncio.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.loop.run_until_complete(self.line.close())
        self.process.terminate()
        self.process.wait(30)
        self.loop.close()
        self.profile.cleanup()

    def call(self, method, **arguments):
        return self.loop.run_until_complete(asyncio.wait_for(self._call(method, arguments), PATIENCE))

    async def _call(self, method, arguments):
        self.number += 1
        await self.line.send(json.dumps({"id": self.number, "method": method, "params": arguments}))
        while True:
            message = json.loads(await self.line.recv())
            if message.get("id") == self.number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(json.dumps(message["params"]["exceptionDetails"])[:2000])
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.problems.append(message["params"]["entry"]["text"] + " " + message["params"]["entry"].get("url", ""))

    def open(self, url):
        self.call("Page.navigate", url=url)

    def ask(self, expression):
        """The value of an expression of JavaScript; awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def wait_for(self, expression, what):
        """Waits until an expression is true, looking at each frame that the page draws."""
        script = f"""new Promise(done => {{
          const end = performance.now() + {PATIENCE * 500};
          const look = () => {{
            let good = false;
            try {{ good = Boolean({expression}); }} catch {{ }}
            if (good || performance.now() > end) done(good); else setTimeout(look, 30);
          }};
          look();
        }})"""
        assert self.ask(script), f"it never came: {what}: {expression}"

    def press(self, key, text=None):
        names = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        extra = {"text": text or ("\r" if key == "Enter" else key)} if len(key) == 1 or key == "Enter" else {}
        code = names.get(key, ord(key.upper()) if len(key) == 1 else 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **extra)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def click(self, selector):
        box = self.ask(f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def prefer(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}])

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        Path(path).write_bytes(base64.b64decode(data))
