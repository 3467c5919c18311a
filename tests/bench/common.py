"""What the benchmarks share: a command in a terminal, CPU seconds and memory of a process."""
import contextlib
import os
import pathlib
import pty
import select
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT = b"deploy > "
PATIENCE = 30.0  # seconds for any one fact
TICKS = os.sysconf("SC_CLK_TCK")


class Screen:
    """A command in a terminal of 24 by 80, and what it has printed."""

    def __init__(self, argv, env, cwd):
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        self.seen = b""

    def wait_for(self, text):
        """Seconds since the start at which the text was first seen; what came before it is forgotten."""
        deadline = time.perf_counter() + PATIENCE
        while text not in plain(self.seen):
            left = deadline - time.perf_counter()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                sys.exit(f"waited {PATIENCE:.0f} s for {text!r}, last seen: {self.seen[-500:]!r}")
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                sys.exit(f"ended before {text!r} was seen: {self.seen[-500:]!r}")
        self.seen = b""
        return time.perf_counter() - self.started

    def type(self, text):
        os.write(self.fd, text)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def plain(data):
    """Without colours and cursor movements, which may stand inside the prompt."""
    out, i = bytearray(), 0
    while i < len(data):
        if data[i : i + 2] == b"\x1b[":
            i += 2
            while i < len(data) and not 0x40 <= data[i] <= 0x7E:
                i += 1
            i += 1
        else:
            out.append(data[i])
            i += 1
    return bytes(out)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid):
    """(resident, of that not shared with others) in MiB."""
    values = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.strip().endswith("kB"):
            values[name] = int(rest.split()[0]) / 1024
    return values["Rss"], values["Private_Clean"] + values["Private_Dirty"]
