"""deployer as people use it, for `warm`: a daemon, and `deployer connect -- ACTION` for what it is asked to do.

    through_daemon.py BINARY FILE warm|latency HOSTS COMMANDS

`warm` is one action with all commands, `latency` one `deployer connect` per command. CPU is that of the daemon and of
the clients. Prints one line of JSON.
"""
import json
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from common import PATIENCE, cpu_seconds

DEPLOYMENT = """\
local deployer = require "deployer"
local hosts = {}
for index, address in ipairs { %(addresses)s } do
  hosts[index] = deployer.SSHHost {
    slug = "h" .. index, address = address, port = %(port)d, username = "%(user)s", key_filename = "%(key)s",
    known_hosts = { "%(known_hosts)s" }, host_keys = "strict", config_filename = "/dev/null",
  }
end
local Fleet = deployer.ParallelNode {}
function Fleet:once() self.host:run("true", { interactive = false }) end
function Fleet:work() for _ = 1, %(commands)d do self.host:run("true", { interactive = false }) end end
return deployer.Node { Fleet = Fleet.Array { Hosts = { host = hosts } } }
"""


def main():
    binary, file, mode, hosts, commands = sys.argv[1:]
    run, hosts, commands = json.load(open(file)), int(hosts), int(commands)
    here = pathlib.Path(tempfile.mkdtemp(prefix="db-", dir="/tmp"))
    for name in ("home", "run"):
        (here / name).mkdir(mode=0o700)
    addresses = ", ".join(f'"{address}"' for address in run["addresses"][:hosts])
    (here / "deploy.lua").write_text(DEPLOYMENT % {**run, "addresses": addresses, "commands": commands})
    env = {"HOME": f"{here}/home", "XDG_RUNTIME_DIR": f"{here}/run", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm"}
    log = open(here / "log", "wb")
    daemon = subprocess.Popen([binary, "listen"], env=env, cwd=here, stdin=subprocess.DEVNULL, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while b"listening on" not in (here / "log").read_bytes():
            if time.monotonic() > deadline or daemon.poll() is not None:
                sys.exit("no daemon: " + (here / "log").read_text())
            time.sleep(0.005)

        def call(action):
            words = [binary, "connect", "--path", "Fleet", "--", action]
            done = subprocess.run(words, env=env, cwd=here, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if done.returncode:
                print(done.stderr[-1000:], file=sys.stderr)
            return done.returncode != 0

        def used():
            children = resource.getrusage(resource.RUSAGE_CHILDREN)
            return cpu_seconds(daemon.pid) + children.ru_utime + children.ru_stime

        failed, latencies = int(call("once")) + int(call("once")), []
        cpu, start = used(), time.perf_counter()
        if mode == "latency":
            for _ in range(commands):
                begun = time.perf_counter()
                failed += call("once")
                latencies.append(time.perf_counter() - begun)
        else:
            failed += call("work")
        cpu, wall = used() - cpu, time.perf_counter() - start
        status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
        peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024
        print(json.dumps({"cpu": cpu, "wall": wall, "failed": failed, "latencies": latencies, "peak": peak}))
    finally:
        daemon.terminate()
        daemon.wait()
        shutil.rmtree(here, ignore_errors=True)


main()
