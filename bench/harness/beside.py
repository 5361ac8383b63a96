"""What stands beside PostgreSQL where many nodes run: PgBouncer before it, and Redis between them."""

import os
import shutil

from harness.process import HarnessError, Process
from harness.postgres import unprivileged
from harness.wire import free_port


def administrators_program(name):
    """Debian keeps some programs off the path of ordinary users."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(name, path=path)


class PgBouncer:
    """PgBouncer in transaction mode."""

    LENT = 20

    def __init__(self, folder, postgres):
        program = administrators_program("pgbouncer")
        if not program:
            raise HarnessError("pgbouncer is needed (Debian: apt-get install pgbouncer)")
        os.makedirs(folder)
        self.port = free_port()
        settings = os.path.join(folder, "pgbouncer.ini")
        with open(settings, "w") as file:
            file.write(
                f"[databases]\n* = host=127.0.0.1 port={postgres.port} user=postgres\n"
                f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = any\n"
                f"pool_mode = transaction\ndefault_pool_size = {self.LENT}\nmax_client_conn = 200\n"
            )
        prefix = unprivileged(folder)
        self.process = Process("pgbouncer", [*prefix, program, settings], os.path.join(folder, "pgbouncer.log"))
        self.process.wait_for(lambda log: "process up" in log)

    def url(self, database):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def cpu_seconds(self):
        return self.process.cpu_seconds()

    def stop(self):
        self.process.stop()


class Redis:
    """A Redis that keeps nothing."""

    def __init__(self, folder):
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if not program:
            raise HarnessError("redis-server is needed (Debian: apt-get install redis-server)")
        os.makedirs(folder)
        port = free_port()
        self.process = Process(
            "redis",
            [program, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", folder],
            os.path.join(folder, "redis.log"),
        )
        self.process.wait_for(lambda log: "Ready to accept connections" in log)
        self.url = f"redis://127.0.0.1:{port}"

    def cpu_seconds(self):
        return self.process.cpu_seconds()

    def stop(self):
        self.process.stop()
