"""What the example server promises under abuse; judged by tools/acceptance/run. Each kind of abuse goes on for some seconds, bounded in
number, while a neighbour asks for /hello all the time: it must be served, and not ten times slower than before. The server has one
processor, the abuse the other, where it gives way to the neighbour: left to itself the kernel lets the server's thread wait for 4 ms
behind the abuse on one processor with the other idle (`perf sched timehist`), nginx's as well as ours."""

import multiprocessing
import os
import random
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from program import Program  # noqa: E402

HELLO = b"GET /hello HTTP/1.1\r\nHost: here\r\n\r\n"


def ask_until(address, over):
    """Asks on a kept connection, some hundred times a second; returns the 99th percentile in seconds. Throws if it is not served."""
    times = []
    with socket.create_connection(address, timeout=20) as line:
        while not over():
            started = time.monotonic()
            line.sendall(HELLO)
            got = b""
            while not got.endswith(b"Hello, World!"):
                part = line.recv(4096)
                if not part or b"HTTP/1.1 200" not in (got + part)[:12]:
                    raise OSError(f"answered {got + part!r}")
                got += part
            times.append(time.monotonic() - started)
            time.sleep(0.002)
    if len(times) < 20:
        raise OSError(f"only {len(times)} answers came")
    return sorted(times)[int(0.99 * (len(times) - 1))]


class Neighbour:
    """A process of its own, this file run as a program: in ours it would wait for the interpreter, which the abuse keeps busy."""

    def __init__(self, address):
        self.process = subprocess.Popen([sys.executable, __file__, address[0], str(address[1])], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def end(self):
        """The 99th percentile in seconds; infinity if it was not served."""
        said, _ = self.process.communicate(timeout=30)
        return float(said) if self.process.returncode == 0 else float("inf")


def repeat_for_a_second(action):
    os.nice(10)  # as who abuses a real service has no share of the neighbour's processor
    end = time.monotonic() + 1  # for enough samples, however soon an action is over
    while True:
        action()
        if time.monotonic() >= end:
            return


def p99_while(address, action):
    beside = Neighbour(address)
    abuse = multiprocessing.get_context("fork").Process(target=repeat_for_a_second, args=(action,))
    abuse.start()
    abuse.join()
    p99 = beside.end()
    if abuse.exitcode != 0:
        raise RuntimeError("the abuse did not come to its end")
    return p99


class apart:
    """Within it, what is started runs on the first processor; after `then_we()` we and what we start on the second. Without two, nothing."""

    def __enter__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.run_on(self.all[:1])
        return self

    def then_we(self):
        self.run_on(self.all[1:2])

    def run_on(self, processors):
        if len(self.all) > 1:
            os.sched_setaffinity(0, processors)

    def __exit__(self, *_):
        os.sched_setaffinity(0, self.all)


def connect(address, most_received=None):
    line = socket.socket()
    if most_received:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, most_received)
    line.settimeout(20)
    line.connect(address)
    return line


def close_all(lines):
    for line in lines:
        line.close()


def trickle(address, begin, count=500, seconds=4):
    """`count` clients send a byte now and then."""
    lines = [connect(address) for _ in range(count)]
    for line in lines:
        line.sendall(begin)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for line in lines:
            try:
                line.send(b"a")
            except OSError:
                pass
        time.sleep(0.5)
    close_all(lines)


def slow_headers(address):
    trickle(address, b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: ")


def slow_bodies(address):
    trickle(address, b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n")


def slow_readers(address):
    lines = [connect(address, 4096) for _ in range(50)]
    body = b"x" * 500_000
    for line in lines:
        line.sendall(b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 500000\r\n\r\n" + body)
        line.setblocking(False)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for line in lines:
            try:
                line.recv(100)
            except BlockingIOError:
                pass
        time.sleep(0.2)
    close_all(lines)


def idle_connections(address):
    lines = [connect(address) for _ in range(5_000)]
    time.sleep(2)
    close_all(lines)


def flood_of_connections(address):
    for _ in range(100):
        close_all([connect(address) for _ in range(100)])


def resets(address):
    for _ in range(3_000):
        line = connect(address)
        line.sendall(random.choice([HELLO[:20], HELLO, b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nabc",
                                    b"GET /task?ms=50 HTTP/1.1\r\nHost: here\r\n\r\n"]))
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.close()


def pipelining_without_reading(address):
    lines = [connect(address, 4096) for _ in range(20)]
    for line in lines:
        line.setblocking(False)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for line in lines:
            try:
                line.send(HELLO * 500)
            except BlockingIOError:
                pass
        time.sleep(0.01)
    close_all(lines)


def huge_headers(address):
    for _ in range(200):
        with connect(address) as line:
            try:
                line.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n" + b"X-Many: " + b"y" * 200_000)
                line.recv(4096)
            except OSError:
                pass


def random_bytes(address):
    for _ in range(2_000):
        with connect(address) as line:
            try:
                line.sendall(random.randbytes(random.randrange(1, 2_000)) + b"\r\n\r\n")
            except OSError:
                pass


def clients_that_leave(address):
    for _ in range(40):
        lines = [connect(address) for _ in range(50)]
        for line in lines:
            line.sendall(b"GET /task?ms=1000 HTTP/1.1\r\nHost: here\r\n\r\n")
        time.sleep(0.05)
        close_all(lines)


ABUSES = [slow_headers, slow_bodies, slow_readers, idle_connections, flood_of_connections, resets, pipelining_without_reading,
          huge_headers, random_bytes, clients_that_leave]


def resident(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def processor_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def settled(server, limit=20):
    """Waits until only our own question is left; says whether it came to that."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        now = server.json("/status")
        if now["connections"]["open"] <= 1 and now["in_flight"] == 0 and not any(now["leaks"].values()):
            return True
        time.sleep(0.1)
    return False


class HttpAbuse:
    """A part of Acceptance, which has `build`, say() and server()."""

    def abuse(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        with apart() as processors, self.server() as server:
            processors.then_we()
            host, port = server.address.split(":")
            address = (host, int(port))
            before = p99_while(address, lambda: time.sleep(3))
            idle_connections(address)  # so that what a crowd costs once is there
            settled(server)
            memory = resident(server.process)
            for kind in ABUSES:
                during = p99_while(address, lambda kind=kind: kind(address))
                clean = settled(server)
                self.say(during <= max(10 * before, 0.003) and clean, f"{kind.__name__.replace('_', ' ')}: others are served, nothing is left",
                         f"p99 {1e3 * during:.1f} ms, {1e3 * before:.1f} ms before; {'nothing' if clean else 'something'} is left")
            grown = resident(server.process) - memory
            self.say(grown <= 16 << 20, "after all of that memory is what it was (<= 16 MiB more)", f"{grown / (1 << 20):.1f} MiB")
            self.stopped_and_continued(server, address)
        self.no_descriptors()

    def stopped_and_continued(self, server, address):
        lines = [connect(address) for _ in range(100)]
        for line in lines:
            line.sendall(HELLO)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        for line in lines:
            line.sendall(HELLO)
        server.process.send_signal(signal.SIGCONT)
        answers = 0
        for line in lines:
            got = b""
            while got.count(b"Hello, World!") < 2:
                part = line.recv(4096)
                if not part:
                    break
                got += part
            answers += got.count(b"Hello, World!")
        close_all(lines)
        self.say(answers == 200, "SIGSTOP and SIGCONT: every request is answered", f"{answers} of 200")

    def no_descriptors(self):
        command = [self.build / "examples" / "server", "--port", "0"]
        with Program("prlimit", "--nofile=100:100", *command) as server:
            host, port = server.address.split(":")
            lines = [connect((host, int(port))) for _ in range(200)]
            before = processor_seconds(server.process)
            time.sleep(3)
            spun = processor_seconds(server.process) - before
            close_all(lines)
            served = server.body("/hello") == "Hello, World!"
            self.say(spun < 0.3 and served, "out of descriptors: it does not spin, and recovers", f"{spun:.2f} s of CPU in 3 s")

    def overload(self):
        got = self.json_line("acceptance/acceptance", "http_overload", 30)
        self.say(got["goodput"] >= 0.7 * got["peak"] and got["failed"] == 0, "4 x overload for 30 s: goodput >= 70 % of the peak",
                 f"{got['goodput']:.0f}/s of {got['peak']:.0f}/s, {got['offered']:.0f}/s offered")
        self.say(got["refused_ms_p99"] <= 100, "what is too much is refused within 100 ms",
                 f"p50 {got['refused_ms_p50']:.0f} ms, p99 {got['refused_ms_p99']:.0f} ms, max {got['refused_ms_max']:.0f} ms")
        self.say(got["recovered_seconds"] <= 2, "and all is as before within 2 s", f"{got['recovered_seconds']:.2f} s")


if __name__ == "__main__":
    print(ask_until((sys.argv[1], int(sys.argv[2])), lambda: select.select([sys.stdin], [], [], 0)[0]))
