"""One run of the harness: the scratch folder, the look-alike provider, the servers, what was measured."""

import json
import os
import shutil
import sys
import tempfile
import time
import urllib.request

from harness import fairweather, pocketbase
from harness.fairweather import Fairweather
from harness.load import HERE, build
from harness.pocketbase import PocketBase
from harness.process import HarnessError, Process

REPOSITORY = os.path.dirname(HERE)
FAVOURITES = 10  # of each reading user


class Bench:
    """Servers are started when a workload first asks for them and all end with `close`."""

    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.openloop, self.streams = (build(name, os.path.join(HERE, "build")) for name in ("openloop", "streams"))
        os.makedirs(options.scratch, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix="bench-", dir=options.scratch)
        self.raw = []
        self._provider = self._ours = self._peer = None
        self._others = []
        self._readers = self._peer_users = None

    def say(self, text):
        """Progress goes to stderr, so that stdout is the report alone."""
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", file=sys.stderr, flush=True)

    def keep_raw(self, sample):
        self.raw.append(sample)

    def path(self, name):
        return os.path.join(self.folder, name)

    # The look-alike provider

    def provider_url(self):
        if self._provider is None:
            script = os.path.join(HERE, "harness", "open_meteo.py")
            self._provider = Process("provider", [sys.executable, script], self.path("provider.log"))
            port = self._provider.wait_for(fairweather.printed_port)
            self._provider_url = f"http://127.0.0.1:{port}"
        return self._provider_url

    def provider_process(self):
        return self._provider

    def provider_call(self, path):
        """Asks the look-alike about itself (`/count…`, `/control…`)."""
        with urllib.request.urlopen(self.provider_url() + path, timeout=60) as answer:
            return json.load(answer)

    # Ours

    def ours(self):
        """The server that most workloads share. None when `--servers` leaves it out."""
        if "fairweather" not in self.options.servers:
            return None
        if self._ours is None:
            self._ours = self.fresh_ours("fairweather")
        return self._ours

    def fresh_ours(self, name, port=0, wrapper=()):
        """A server with a data folder of its own, ended with the bench. None when it is left out."""
        if "fairweather" not in self.options.servers:
            return None
        if not os.path.exists(self.options.binary):
            raise HarnessError(f"{self.options.binary} does not exist: cargo build --release")
        server = Fairweather(self.options.binary, self.path(name), self.provider_url(), port)
        self._others.append(server)
        self.say(f"starting {name}")
        return server.start(wrapper)

    def readers(self):
        """Accounts with 10 favourites each, used by all reading workloads.

        The places are spread over land and sea between 55° south and 65° north by a fixed rule, a
        thousand of them, so that users share cells as real users do.
        """
        if self._readers is None:
            ours = self.ours()
            self.say(f"{self.options.users} users with {FAVOURITES} favourites each on fairweather")
            self._readers = ours.users(self.options.users)
            ours.add_favourites(self._readers, FAVOURITES, spread)
        return self._readers

    # The peer

    def peer(self):
        """PocketBase with its collection. None when it is left out or not installed."""
        if "pocketbase" not in self.options.servers:
            return None
        if self._peer is None:
            self._peer = self.fresh_peer("pocketbase")
            self._peer.create_collection()
        return self._peer

    def fresh_peer(self, name, port=0, wrapper=()):
        if "pocketbase" not in self.options.servers:
            return None
        binary = pocketbase.locate(self.options.pocketbase, self.options.scratch)
        if not binary:
            raise HarnessError("PocketBase is not installed: bench/run --install-peers, or --servers fairweather")
        server = PocketBase(binary, self.path(name), port)
        self._others.append(server)
        self.say(f"starting {name}")
        return server.start(wrapper)

    def peer_users(self):
        """(creators, readers): two sets of users; the readers have 10 favourites each."""
        if self._peer_users is None:
            peer = self.peer()
            count = self.options.users
            self.say(f"2 x {count} users on pocketbase, a bcrypt hash each")
            creators, readers = peer.users(count, "creator"), peer.users(count, "reader")
            peer.add_favourites(readers, FAVOURITES)
            self._peer_users = creators, readers
        return self._peer_users

    def close(self):
        for server in self._others:
            server.stop()
        if self._provider:
            self._provider.stop()
        if self.options.keep:
            self.say(f"kept {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def spread(user, n):
    """A fixed place for the n-th favourite of a user, one of a thousand."""
    number = (user * 7 + n * 131) % 1000
    return round(-55 + (number * 0.618034 % 1) * 120, 2), round(-180 + (number * 0.754878 % 1) * 360, 2)
