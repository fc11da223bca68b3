"""A program under test that serves HTTP: started, talked to, ended in order. For the scripts that drive the examples."""

import http.client
import json
import signal
import subprocess
import urllib.parse


class Program:
    """Starts `command`, waits for its line `listening on http://HOST:PORT`, and ends it when left."""

    def __init__(self, *command, stdin=subprocess.DEVNULL):
        self.process = subprocess.Popen(list(map(str, command)), stdin=stdin, stdout=subprocess.PIPE, text=True)
        line = self.line()
        if not line.startswith("listening on http://"):
            self.process.kill()
            raise AssertionError(f"{command[0]}: does not listen, but says {line!r}")
        self.url = line.split()[-1]
        self.address = urllib.parse.urlsplit(self.url).netloc

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def line(self):
        """The next line that it prints."""
        return self.process.stdout.readline()

    def type(self, text):
        """What the user types, where `stdin` is a pipe."""
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def ask(self, target, method="GET", body=None, **headers):
        """One request on a connection of its own: status, headers, body."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def body(self, target, *arguments, **headers):
        return self.ask(target, *arguments, **headers)[2]

    def json(self, target):
        return json.loads(self.body(target))

    def stop(self, number=signal.SIGTERM):
        """Asks it to end and returns its exit code and what it printed since it listened."""
        self.process.send_signal(number)
        printed, _ = self.process.communicate(timeout=30)
        return self.process.returncode, printed


def expect(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {got!r}")
