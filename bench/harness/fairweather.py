"""Our server: how it is started, and the few calls that prepare a workload.

Everything but `start` needs only the address, so a change of the command line or of a key touches
this file alone.
"""

import os
import re
import time
import urllib.request
from urllib.parse import quote

from harness.process import HarnessError, Process
from harness.wire import MARK, Address, Client, in_parallel, render

# Limits stay on the path of every request; here they are only set so high that the load itself is
# not refused. Printed beside the figures.
CONFIGURATION = """\
[limits]
account_per_second = 100000
account_burst = 100000
mutations_per_second = 100000
mutations_burst = 100000
places_per_second = 100000
anonymous_burst = 100000
anonymous_per_hour = 100000
mail_per_address = 100000
streams = 20000

[quota]
favourites = 100000

[weather]
cache_mib = 1024

[weather.open_meteo]
base_url = "{provider}"
"""

DURABILITY = "SQLite, WAL, synchronous=FULL: acknowledged writes survive a power cut"
TOKEN_AGE = 420  # seconds after which tokens are renewed; they live 600


def printed_port(log):
    """The port that the server says it listens on, or None while it has not said so."""
    line = re.search(r"listening on http://127\.0\.0\.1:(\d+)", log)
    return int(line.group(1)) if line else None


def printed_mailbox(log):
    """The address of the page that shows what `dev` would have mailed, or None."""
    line = re.search(r"mailbox (http://127\.0\.0\.1:[^\s\"]+)", log)
    return line.group(1) if line else None


def mailed_codes(text):
    """What looks like a code in mails: 8 characters of Crockford's base 32, perhaps with a dash."""
    code = r"\b([0-9A-HJKMNP-TV-Z]{4})-?([0-9A-HJKMNP-TV-Z]{4})\b"
    return {"".join(pair) for pair in re.findall(code, text)}


class Users:
    """Anonymous accounts with a bearer token each."""

    def __init__(self, address, tokens):
        self.address = address
        self.made_at = time.monotonic()
        self.sessions = tokens

    def tokens(self):
        """Access tokens that will last for the next measurement."""
        if time.monotonic() - self.made_at > TOKEN_AGE:
            self.sessions = in_parallel(
                self.address,
                self.sessions,
                lambda client, session: client.expect(
                    200, "POST", "/v1/auth/refresh", body={"refresh_token": session["refresh_token"]}
                ),
            )
            self.made_at = time.monotonic()
        return [session["access_token"] for session in self.sessions]

    def first(self, count):
        """The first of them, as users of their own."""
        self.tokens()
        some = Users(self.address, self.sessions[:count])
        some.made_at = self.made_at
        return some


class Fairweather:
    """One started server."""

    name = "fairweather"
    favourites_path = "/v1/favourites"
    stream_path = "/v1/stream"
    hello_path = "/healthz"
    ready_path = "/readyz"

    def __init__(self, binary, folder, provider_url, port=0, database=None, env=None):
        self.binary, self.folder, self.port = binary, folder, port
        self.database, self.env = database, env
        os.makedirs(folder, exist_ok=True)
        self.config = os.path.join(folder, "bench.toml")
        with open(self.config, "w") as file:
            file.write(CONFIGURATION.format(provider=provider_url))
        self.process = self.address = self.mailbox = None

    def command(self):
        return [
            self.binary, "dev", "--listen", f"127.0.0.1:{self.port}",
            "--data", os.path.join(self.folder, "data"), "--config", self.config,
            *(["--database", self.database] if self.database else []),
        ]

    def launch(self, wrapper=()):
        """Starts the process and returns at once; `wrapper` are words to put before the command (strace)."""
        self.process = Process(self.name, [*wrapper, *self.command()], os.path.join(self.folder, "server.log"), env=self.env)
        return self.process

    def start(self, wrapper=()):
        """Starts it and waits until it is ready for every request."""
        self.launch(wrapper)
        self.address = Address(self.process.wait_for(printed_port))
        self.mailbox = printed_mailbox(self.process.log())
        client, end = Client(self.address), time.monotonic() + 60
        while True:
            status, _ = client.call("GET", self.ready_path)
            if status == 200:
                break
            if time.monotonic() > end:
                raise HarnessError(f"{self.ready_path} still answers {status} after 60 s")
            time.sleep(0.05)
        client.close()
        return self

    def stop(self):
        if self.process:
            self.process.stop()

    def users(self, count):
        """New anonymous accounts, each with its own session."""
        return Users(
            self.address,
            in_parallel(self.address, range(count), lambda client, _: client.expect(201, "POST", "/v1/auth/anonymous")),
        )

    def add_favourites(self, users, count, points):
        """`count` favourites for every user; `points(user, n)` gives (lat, lon)."""
        def fill(client, item):
            number, token = item
            for n in range(count):
                lat, lon = points(number, n)
                body = {"name": f"Place {n + 1}", "lat": lat, "lon": lon}
                client.expect(201, "POST", self.favourites_path, token, body)

        in_parallel(self.address, enumerate(users.tokens()), fill)

    def create_requests(self, users):
        """One create per user; the load program varies the coordinates of this template."""
        return [
            render(self.address, "POST", self.favourites_path, token, text='{"name":"Cabin","lat":60.1000,"lon":9.2000}')
            for token in users.tokens()
        ]

    def get_requests(self, users, path):
        return [render(self.address, "GET", path, token) for token in users.tokens()]

    def stream_requests(self, users, devices):
        """The live streams of `devices` devices of each user."""
        return [request for request in self.get_requests(users, self.stream_path) for _ in range(devices)]

    def marked_requests(self, users):
        """One create per user, with the name that loadgen/streams.c turns into a mark."""
        return [
            render(self.address, "POST", self.favourites_path, token, text=f'{{"name":"{MARK}","lat":60.1000,"lon":9.2000}}')
            for token in users.tokens()
        ]

    def hello_requests(self):
        return [render(self.address, "GET", self.hello_path)]

    def place_requests(self, typed):
        return [render(self.address, "GET", f"/v1/places?q={quote(text)}") for text in typed]

    def find_place(self, name):
        """The gazetteer's first answer for a name."""
        client = Client(self.address)
        answer = client.expect(200, "GET", f"/v1/places?q={quote(name)}")
        client.close()
        if not answer["items"]:
            raise HarnessError(f"no place is called {name}")
        return answer["items"][0]

    def mail(self, since):
        """Text of the mails of `dev`: of its mailbox page when it names one, and of its log from `since`."""
        text = self.process.log(since)
        if self.mailbox:
            with urllib.request.urlopen(self.mailbox, timeout=10) as page:
                text += page.read().decode("utf-8", "replace")
        return text

    def register(self, email, password):
        """A password account, confirmed with the code that `dev` would have mailed."""
        client = Client(self.address)
        try:
            seen = self.process.log_size()
            known = mailed_codes(self.mail(seen))
            pending = client.expect(202, "POST", "/v1/auth/register", body={"email": email, "password": password})
            end, codes = time.monotonic() + 10, set()
            while not codes and time.monotonic() < end:
                time.sleep(0.01)
                codes = mailed_codes(self.mail(seen)) - known
            # Five wrong codes end a registration, so at most four guesses are made.
            for code in sorted(codes)[:4]:
                body = {"registration": pending["registration"], "code": code}
                status, _ = client.call("POST", "/v1/auth/register/confirm", body=body)
                if status == 201:
                    return
            raise HarnessError(f"{len(codes)} codes were mailed, none of them confirmed the registration")
        finally:
            client.close()

    def login_requests(self, accounts):
        return [
            render(self.address, "POST", "/v1/auth/login", body={"email": email, "password": password})
            for email, password in accounts
        ]
