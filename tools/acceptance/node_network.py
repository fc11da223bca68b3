"""A network of its own for tools/acceptance: hosts are network namespaces, and every frame between them passes through this process, which loses or delays it when told
to. So it works also where the kernel has no netem, and two directions can be treated apart. Needs root, and `ip`."""

import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import threading
import time

ETH_P_ALL = 3
SIOCETHTOOL = 0x8946
# Checksums and large segments are left to the hardware, which there is none of: off.
ETHTOOL_OFF = (0x17, 0x1F, 0x21, 0x24, 0x2C)  # transmit checksums, TSO, UFO, GSO, GRO


class NotAllowed(Exception):
    """There can be no namespaces here."""


def ip(*words):
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotAllowed(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")


def no_offload(device):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for what in ETHTOOL_OFF:
            value = ctypes.create_string_buffer(struct.pack("II", what, 0))
            try:
                fcntl.ioctl(s, SIOCETHTOOL, struct.pack("16sP", device.encode(), ctypes.addressof(value)))
            except OSError:
                pass  # a kernel that does not know one of them does not do it either


class Host:
    def __init__(self, name, number):
        self.name, self.number, self.address = name, number, f"10.77.0.{number}"
        self.space = f"grn{os.getpid()}-{name}"
        self.inside, self.outside = f"grn{number}", f"grx{os.getpid() % 100000}.{number}"
        self.mac = f"02:67:72:00:00:{number:02x}"
        self.socket = None

    def make(self):
        ip("netns", "add", self.space)
        ip("link", "add", self.outside, "type", "veth", "peer", "name", self.inside, "address", self.mac)
        no_offload(self.outside)
        no_offload(self.inside)
        ip("link", "set", self.inside, "netns", self.space)
        ip("link", "set", self.outside, "up")
        for words in (("addr", "add", f"{self.address}/24", "dev", self.inside), ("link", "set", self.inside, "up"), ("link", "set", "lo", "up")):
            ip("-n", self.space, *words)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((self.outside, 0))
        self.socket.setblocking(False)

    def end(self):
        if self.socket:
            self.socket.close()
        subprocess.run(["ip", "link", "del", self.outside], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", self.space], capture_output=True, check=False)

    def command(self, *words):
        """Runs a program on this host."""
        return ["ip", "netns", "exec", self.space, *map(str, words)]

    def cable(self, plugged):
        """Link down: the host sees it, as when a cable is pulled."""
        ip("link", "set", self.outside, "up" if plugged else "down")


class Way:
    """From one host to another."""

    def __init__(self):
        self.loss, self.delay = 0.0, 0.0


class Network:
    def __init__(self, names, seed=1):
        self.hosts = {name: Host(name, number) for number, name in enumerate(names, 1)}
        self.ways = {(a, b): Way() for a in names for b in names if a != b}
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.later, self.sent = [], 0

    def __enter__(self):
        try:
            for host in self.hosts.values():
                host.make()
        except (NotAllowed, OSError) as why:
            self.end()
            raise NotAllowed(str(why)) from None
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.over.set()
        self.thread.join()
        self.end()

    def end(self):
        for host in self.hosts.values():
            host.end()

    # -- faults

    def heal(self):
        for host in self.hosts.values():
            host.cable(True)
        for way in self.ways.values():
            way.loss = way.delay = 0.0

    def between(self, a, b, loss=0.0, delay=0.0):
        """Both ways."""
        for way in (self.ways[a, b], self.ways[b, a]):
            way.loss, way.delay = loss, delay

    # -- frames

    def carry(self):
        by_socket = {host.socket: host for host in self.hosts.values()}
        by_mac = {bytes.fromhex(host.mac.replace(":", "")): host for host in self.hosts.values()}
        while not self.over.is_set():
            wait = 0.05 if not self.later else max(0.0, min(0.05, self.later[0][0] - time.monotonic()))
            ready, _, _ = select.select(list(by_socket), [], [], wait)
            for one in ready:
                for _ in range(64):
                    try:
                        frame, where = one.recvfrom(65536)
                    except OSError:  # there is no more, or the cable is pulled
                        break
                    if where[2] != socket.PACKET_OUTGOING:
                        self.pass_on(by_socket[one], frame, by_mac)
            while self.later and self.later[0][0] <= time.monotonic():
                _, _, to, frame = heapq.heappop(self.later)
                self.put(to, frame)

    def pass_on(self, sender, frame, by_mac):
        to = by_mac.get(frame[:6])
        for host in [to] if to else [each for each in self.hosts.values() if frame[0] & 1]:
            if host is sender:
                continue
            way = self.ways[sender.name, host.name]
            if way.loss and self.random.random() < way.loss:
                continue
            if way.delay:
                self.sent += 1  # so that frames stay in order
                heapq.heappush(self.later, (time.monotonic() + way.delay, self.sent, host, frame))
            else:
                self.put(host, frame)

    @staticmethod
    def put(host, frame):
        try:
            host.socket.send(frame)
        except OSError:
            pass  # the cable is pulled, or the queue is full: the frame is lost
