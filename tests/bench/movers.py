"""The peers of `transfer`: each a program of its own, so that CPU and memory are its alone.

    movers.py NAME FILE up|down|tree

FILE holds the settings of the run (port, addresses, key, known hosts, from, to). CPU is that of all processes on this
side, log-in included. Prints one line of JSON.
"""
import asyncio
import json
import os
import resource
import shlex
import subprocess
import sys
import time


def usage():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Clock:
    def __enter__(self):
        self.cpu, self.start = usage(), time.perf_counter()
        return self

    def __exit__(self, *failure):
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        print(json.dumps({
            "cpu": usage() - self.cpu, "wall": time.perf_counter() - self.start, "failed": int(failure[0] is not None),
            "latencies": [], "peak": max(own.ru_maxrss, children.ru_maxrss) / 1024,
        }))


def openssh(run, cipher):
    """The options that ssh, scp and sftp take alike."""
    words = ["-F", "none", "-o", f"Port={run['port']}", "-o", f"User={run['user']}", "-i", run["key"], "-o", "IdentitiesOnly=yes"]
    words += ["-o", f"UserKnownHostsFile={run['known_hosts']}", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"]
    # Its default key exchange costs ten times as much as this one and says nothing about files.
    words += ["-o", "KexAlgorithms=curve25519-sha256"]
    return words + (["-c", cipher] if cipher else [])


def command(name, run, mode):
    """The shell command of a mover, and what it reads."""
    cipher = "aes128-gcm@openssh.com" if name.endswith("-gcm") else None
    tool, options = name.removesuffix("-gcm"), openssh(run, cipher)
    host, source, target = run["addresses"][0], run["from"], run["to"]
    quoted = shlex.join(["ssh", *options])
    if tool == "ssh-cat":
        line = {
            "up": f"{quoted} {host} 'cat > {target}' < {source}",
            "down": f"{quoted} {host} 'cat {source}' > {target}",
            "tree": f"tar cf - -C {source} . | {quoted} {host} 'mkdir -p {target} && tar xf - -C {target}'",
        }[mode]
        return ["/bin/sh", "-c", line], None
    if tool == "sftp":
        order = {"up": f"put {source} {target}", "down": f"get {source} {target}", "tree": f"put -r {source} {target}"}[mode]
        return ["sftp", "-q", *options, "-b", "-", host], order
    if tool == "scp":
        there = lambda path: f"{host}:{path}"
        pair = [there(source), target] if mode == "down" else [source, there(target)]
        return ["scp", "-q", *(["-r"] if mode == "tree" else []), *options, *pair], None
    if tool == "rsync":
        there = lambda path: f"{host}:{path}"
        slash = "/" if mode == "tree" else ""
        pair = [there(source), target] if mode == "down" else [source + slash, there(target)]
        return ["rsync", "-r", "--whole-file", "-e", quoted, *pair], None
    raise SystemExit(f"nobody is called {name}")


async def with_asyncssh(run, mode):
    import asyncssh

    with Clock():
        async with asyncssh.connect(
            run["addresses"][0], port=run["port"], username=run["user"], client_keys=[run["key"]],
            known_hosts=run["known_hosts"], config=None, agent_path=None,
        ) as connection, connection.start_sftp_client() as sftp:
            if mode == "down":
                await sftp.get(run["from"], run["to"])
            else:
                await sftp.put(run["from"], run["to"], recurse=mode == "tree")


def with_parallel_ssh(run, mode):
    from pssh.clients import SSHClient

    with Clock():
        client = SSHClient(run["addresses"][0], port=run["port"], user=run["user"], pkey=run["key"], allow_agent=False)
        if mode == "down":
            client.copy_remote_file(run["from"], run["to"])
        else:
            client.copy_file(run["from"], run["to"], recurse=mode == "tree")


def main():
    name, file, mode = sys.argv[1:]
    run = json.load(open(file))
    if name == "asyncssh":
        return asyncio.run(with_asyncssh(run, mode))
    if name == "parallel-ssh":
        return with_parallel_ssh(run, mode)
    words, order = command(name, run, mode)
    with Clock():
        subprocess.run(words, input=order, text=True, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SSH_AUTH_SOCK": ""})


main()
