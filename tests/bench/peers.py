"""The peers of `warm`: each a program of its own, so that CPU and memory are its alone.

    peers.py parallel-ssh|asyncssh|asyncssh-shell|control-master FILE cold|warm|latency HOSTS COMMANDS

FILE holds the settings of the run (port, addresses, key, known hosts). Prints one line of JSON.
"""
import asyncio
import json
import os
import resource
import subprocess
import sys
import time


def usage():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def told(cpu, wall, failed, latencies=()):
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({
        "cpu": cpu, "wall": wall, "failed": failed, "latencies": list(latencies),
        "peak": max(own.ru_maxrss, children.ru_maxrss) / 1024,
    }))


def parallel_ssh(run, mode, hosts, commands):
    from pssh.clients import ParallelSSHClient

    client = ParallelSSHClient(
        run["addresses"][:hosts], port=run["port"], user=run["user"], pkey=run["key"], pool_size=32, num_retries=5, retry_delay=0.2,
        allow_agent=False, keepalive_seconds=0,
    )
    failed, latencies = 0, []

    def once(command):
        nonlocal failed
        start = time.perf_counter()
        output = client.run_command(command, stop_on_errors=False)
        client.join(output)
        for host in output:
            failed += host.exit_code != 0
        latencies.append(time.perf_counter() - start)

    if mode != "cold":
        once("true")
        latencies.clear()
    cpu, start = usage(), time.perf_counter()
    for _ in range(commands):
        once("echo hello" if mode == "cold" else "true")
    told(usage() - cpu, time.perf_counter() - start, failed, latencies)


async def with_asyncssh(run, mode, hosts, commands, shell):
    import asyncssh

    gate, failed, latencies = asyncio.Semaphore(32), 0, []

    async def connect(address):
        async with gate:
            return await asyncssh.connect(
                address, port=run["port"], username=run["user"], client_keys=[run["key"]], known_hosts=run["known_hosts"],
                config=None, agent_path=None,
            )

    async def in_shell(connection):
        nonlocal failed
        process = await connection.create_process("/bin/sh")
        for number in range(commands + 1):
            start = time.perf_counter()
            process.stdin.write(f"true; echo {number} $?\n")
            line = await process.stdout.readline()
            failed += line != f"{number} 0\n"
            if number:
                latencies.append(time.perf_counter() - start)

    async def each(connection, command):
        nonlocal failed
        for _ in range(commands):
            start = time.perf_counter()
            done = await connection.run(command)
            failed += done.exit_status != 0
            latencies.append(time.perf_counter() - start)

    async def cold(address):
        connection = await connect(address)
        await each(connection, "echo hello")
        connection.close()

    if mode == "cold":
        cpu, start = usage(), time.perf_counter()
        await asyncio.gather(*(cold(address) for address in run["addresses"][:hosts]))
    else:
        connections = await asyncio.gather(*(connect(address) for address in run["addresses"][:hosts]))
        cpu, start = usage(), time.perf_counter()
        await asyncio.gather(*(in_shell(c) if shell else each(c, "true") for c in connections))
    told(usage() - cpu, time.perf_counter() - start, failed, latencies)


def master(base, address):
    """A master that answers. One that has not after ten seconds never will; a second one may."""
    for _ in range(3):
        running = subprocess.Popen([*base, "-M", "-N", address], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and running.poll() is None:
            if subprocess.run([*base, "-O", "check", address], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return running
            time.sleep(0.05)
        running.kill()
        running.wait()
    sys.exit(f"no master for {address}")


def control_master(run, mode, hosts, commands):
    """One ssh process a command over one master a host, eight at once."""
    from concurrent.futures import ThreadPoolExecutor

    base = [
        "ssh", "-F", "none", "-p", str(run["port"]), "-l", run["user"], "-i", run["key"], "-o", "IdentitiesOnly=yes",
        "-o", f"UserKnownHostsFile={run['known_hosts']}", "-o", "KexAlgorithms=curve25519-sha256",
        "-o", f"ControlPath={run['directory']}/%h.{os.getpid()}",
    ]
    addresses, failed, latencies = run["addresses"][:hosts], [], []

    def ssh(address, *words):
        start = time.perf_counter()
        status = subprocess.run([*base, *words[:-1], address, words[-1]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        latencies.append(time.perf_counter() - start)
        if status:
            failed.append(address)

    with ThreadPoolExecutor(8) as pool:
        if mode == "cold":
            cpu, start = usage(), time.perf_counter()
            list(pool.map(lambda address: ssh(address, "-o", "ControlPath=none", "echo hello"), addresses))
        else:
            masters = [master(base, address) for address in addresses]
            latencies.clear()
            cpu, start = usage(), time.perf_counter()
            list(pool.map(lambda address: [ssh(address, "true") for _ in range(commands)], addresses))
            for running in masters:
                running.terminate()
                running.wait()
    told(usage() - cpu, time.perf_counter() - start, len(failed), latencies)


def main():
    name, file, mode, hosts, commands = sys.argv[1:]
    run, hosts, commands = json.load(open(file)), int(hosts), int(commands)
    if name == "parallel-ssh":
        parallel_ssh(run, mode, hosts, commands)
    elif name == "control-master":
        control_master(run, mode, hosts, commands)
    else:
        asyncio.run(with_asyncssh(run, mode, hosts, commands, name == "asyncssh-shell"))


main()
