"""What the benchmarks over SSH share: sshd on loopback, peers from PyPI and Debian, interleaved rounds, tables."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from common import PATIENCE, ROOT

# Less than the ten logins at once from which a stock sshd turns some away: that is for stories to show.
ADDRESSES_OF_ONE_SSHD = 8
PYPI = {"parallel-ssh": "pssh", "asyncssh": "asyncssh"}


def install(programs):
    """Debian packages by the program they bring; what is still missing afterwards."""
    wanted = [package for program, package in programs.items() if not shutil.which(program)]
    if wanted and os.getuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *wanted]
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode:
            subprocess.run(["apt-get", "update", "-q"], env=env, capture_output=True, check=False)
            subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return [package for program, package in programs.items() if not shutil.which(program)]


def environment():
    """A Python with the peers of PyPI, in a place of its own; what could not be installed."""
    home = ROOT / "tests/.cache/bench-peers"
    python = home / "bin/python"
    run = lambda *words: subprocess.run([str(word) for word in words], capture_output=True, check=False).returncode == 0
    there = lambda module: python.exists() and run(python, "-c", f"import {module}")
    if not all(there(module) for module in PYPI.values()):
        if not python.exists() or not run(python, "-m", "pip", "--version"):
            shutil.rmtree(home, ignore_errors=True)
            # Debian keeps what venv needs in a package of its own.
            if not run(sys.executable, "-m", "venv", home) and os.getuid() == 0 and shutil.which("apt-get"):
                run("apt-get", "install", "-y", "-q", "--no-install-recommends", "python3-venv")
                run(sys.executable, "-m", "venv", home)
        for package in PYPI if python.exists() else ():
            run(python, "-m", "pip", "install", "-q", package)
    return str(python), [package for package, module in PYPI.items() if not there(module)]


class Servers:
    """As many sshd as are needed for `count` loopback addresses, all on one port with one key."""

    def __init__(self, count, stack, place="/tmp"):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="db-", dir=place))
        stack.callback(shutil.rmtree, self.dir, ignore_errors=True)
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / key], check=True)
        (self.dir / "home").mkdir()
        first = random.randint(1, 250)
        addresses = [f"127.{first}.{n // 200}.{n % 200 + 1}" for n in range(count)]
        with socket.socket() as probe:
            probe.bind((addresses[0], 0))
            port = probe.getsockname()[1]
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        for at in range(0, count, ADDRESSES_OF_ONE_SSHD):
            some = addresses[at : at + ADDRESSES_OF_ONE_SSHD]
            config = "".join(f"ListenAddress {address}:{port}\n" for address in some) + (
                f"HostKey {self.dir}/host_key\nAuthorizedKeysFile {self.dir}/user_key.pub\nStrictModes no\nUsePAM no\n"
                f"PermitRootLogin yes\nPidFile none\nLogLevel QUIET\nSetEnv HOME={self.dir}/home\n"
                "Subsystem sftp internal-sftp\n"
            )
            file = self.dir / f"sshd_config{at}"
            file.write_text(config)
            sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", file])
            stack.callback(sshd.wait)
            stack.callback(sshd.kill)
        key = (self.dir / "host_key.pub").read_text()
        (self.dir / "known_hosts").write_text("".join(f"[{address}]:{port} {key}" for address in addresses))
        for address in addresses[:: ADDRESSES_OF_ONE_SSHD]:
            deadline = time.monotonic() + PATIENCE
            while True:
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection((address, port)).close()
                    break
                if time.monotonic() > deadline:
                    sys.exit("sshd does not listen")
                time.sleep(0.02)
        user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        self.run = {
            "addresses": addresses, "port": port, "user": user, "key": str(self.dir / "user_key"),
            "known_hosts": str(self.dir / "known_hosts"), "directory": str(self.dir),
        }
        self.file = self.dir / "run.json"
        self.tell()

    def tell(self, **more):
        """Writes what the contestants have to know."""
        self.run.update(more)
        self.file.write_text(json.dumps(self.run))


def measure(argv):
    """One line of JSON; None when the contestant could not do it."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False, timeout=600)
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        print(f"  {' '.join(map(str, argv[1:4]))}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None


def rounds(contestants, repeat, file, mode, hosts, commands):
    """Contestants take turns; per contestant the medians of CPU, wall, peak, p50 and p99, and what failed."""
    seen = {name: [] for name in contestants}
    for _ in range(repeat):
        for name, command in contestants.items():
            figures = measure([*command, file, mode, hosts, commands])
            if figures:
                seen[name].append(figures)
    result = {}
    for name, runs in seen.items():
        if runs:
            latencies = sorted(value for run in runs for value in run["latencies"]) or [float("nan")]
            median = lambda key: statistics.median(run[key] for run in runs)
            result[name] = {
                "count": hosts * commands, "cpu": median("cpu"), "wall": median("wall"), "peak": median("peak"), "failed": sum(run["failed"] for run in runs),
                "p50": 1000 * latencies[len(latencies) // 2], "p99": 1000 * latencies[int(len(latencies) * 0.99)],
            }
    return result


def table(title, columns, rows):
    print(f"\n{title}\n" + f"{'':<18}" + "".join(f"{column:>17}" for column in columns))
    for name, values in rows:
        print(f"{name:<18}" + "".join(f"{value:>17}" for value in values), flush=True)


def ratio(name, values):
    """Ours to the best of the peers that do the same: a shell that is kept open is compared with one."""
    kept = name.endswith("-helper")
    peers = [value for peer, value in values.items() if not peer.startswith("deployer") and peer.endswith("-shell") == kept]
    return f"{values[name] / min(peers):.2f} x" if name.startswith("deployer") and peers and min(peers) > 0 else ""
