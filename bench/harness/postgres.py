"""A PostgreSQL of the bench's own, with its default durability, and pgbench as what it can do at best."""

import glob
import os
import pwd
import re
import shutil
import subprocess

from harness.fairweather import Fairweather
from harness.load import HERE, Finished
from harness.process import TICKS, HarnessError, Process
from harness.wire import free_port

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": 200,
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}
DURABILITY = "PostgreSQL with fsync and synchronous_commit on, as it comes"


def programs():
    """The folder with `postgres` and `pgbench`; Debian and Ubuntu keep them off the PATH. None when there is none."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: int(folder.split("/")[4]))
    folders += [os.path.dirname(path) for path in [shutil.which("postgres")] if path]
    return next((folder for folder in reversed(folders) if os.path.exists(os.path.join(folder, "pgbench"))), None)


class Postgres:
    """One started server. Root lends it the user that Debian's package made, since it refuses root."""

    name = "pgbench"

    def __init__(self, folder):
        self.programs = programs()
        if not self.programs:
            raise HarnessError("PostgreSQL with pgbench is needed (Debian: apt-get install postgresql)")
        self.port = free_port()
        self.data = os.path.join(folder, "data")
        os.makedirs(self.data)
        self.prefix = unprivileged(self.data)
        self.run("initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", lend=True)
        words = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self.process = Process(
            "postgres",
            [*self.prefix, os.path.join(self.programs, "postgres"), "-D", self.data, "-p", str(self.port), *words],
            os.path.join(folder, "postgres.log"),
        )
        self.process.wait_for(lambda log: "ready to accept connections" in log)

    def run(self, program, *words, lend=False):
        """What one of PostgreSQL's programs prints."""
        argv = [*(self.prefix if lend else []), os.path.join(self.programs, program), *map(str, words)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise HarnessError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout

    def create(self, database):
        self.run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", database)
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def sql(self, database, text):
        self.run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-c", text, database)

    def pgbench(self, database, script, clients, seconds, scratch):
        """(the program, transactions per second, their times in ms, sorted) of a script of bench/pgbench."""
        prefix = os.path.join(scratch, f"pgbench-{script}")
        program = Finished(
            [os.path.join(self.programs, "pgbench"), "-n", "-M", "prepared", "-c", clients, "-j", 1, "-T", seconds,
             "-f", os.path.join(HERE, "pgbench", f"{script}.sql"), "-l", f"--log-prefix={prefix}",
             "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", database],
            seconds + 60,
        )
        rate = re.search(r"^tps = ([\d.]+)", program.output, re.M)
        if not rate:
            raise HarnessError(f"pgbench printed no rate: {program.output}")
        logs = glob.glob(prefix + "*")
        times = sorted(int(line.split()[2]) / 1000 for log in logs for line in open(log))
        for log in logs:
            os.remove(log)
        return program, float(rate.group(1)), times

    def cpu_seconds(self):
        """Of all its processes: of those that ended, their parent knows."""
        total = 0.0
        for pid in [self.process.pid, *children(self.process.pid)]:
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            total += sum(int(field) for field in fields[11:15 if pid == self.process.pid else 13]) / TICKS
        return total

    def rss_mib(self):
        return self.process.rss_mib()

    def stop(self):
        self.process.stop()


KEY_RING = "FAIRWEATHER_KEY_RING"


def nodes_of(bench, database, count, name, env, started):
    """Nodes of one installation on this database; each that was started is added to `started`."""
    nodes, env = [], dict(env)
    for number in range(1, count + 1):
        node = Fairweather(bench.options.binary, bench.path(f"{name}-{number}"), bench.provider_url(), database=database, env=env)
        started.append(node.start())
        nodes.append(node)
        # The first draws the ring that all share.
        if KEY_RING not in env:
            env[KEY_RING] = ring_of(node)
    return nodes


def ring_of(node):
    with open(os.path.join(node.folder, "data", "keys", "ring")) as file:
        return file.read().strip()


def unprivileged(folder):
    """The words before a program that refuses root: root lends it the user that Debian's package made, and this folder."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    # It must pass through the folders above, and read none of them.
    above = os.path.dirname(folder)
    for each in (above, os.path.dirname(above)):
        os.chmod(each, os.stat(each).st_mode | 0o011)
    return ["env", "--chdir=/", "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return listed.read().split()
