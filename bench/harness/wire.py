"""HTTP as the harness speaks it: whole requests for the load programs, JSON calls for the set-up."""

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor

from harness.process import HarnessError

SETUP_THREADS = 8
# Where loadgen/streams.c writes when a write was due and which one it is.
MARK = "w4-00000000000000000000-00000000"


class Address:
    """A server on this machine. There is no way to name another host: loads stay on 127.0.0.1."""

    host = "127.0.0.1"

    def __init__(self, port):
        self.port = int(port)

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def render(address, method, path, token=None, body=None, text=None):
    """One request as bytes, ready to be sent again and again on a kept connection.

    The body is `body` as JSON, or `text` exactly as given.
    """
    if body is not None:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    payload = (text or "").encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address.host}:{address.port}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if text is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def write_requests(path, requests):
    """Writes the file that lua/rotate.lua and the programs of loadgen/ read."""
    with open(path, "wb") as file:
        for request in requests:
            file.write(b"%d\n" % len(request) + request)
    return path


class Client:
    """One kept connection for JSON calls."""

    def __init__(self, address, timeout=60):
        self.connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout)

    def call(self, method, path, token=None, body=None):
        """Returns (status, parsed body or None)."""
        headers = {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body)
        try:
            self.connection.request(method, path, payload, headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:
            return answer.status, None

    def expect(self, wanted, method, path, token=None, body=None):
        """Like call, but any status other than `wanted` stops the workload with the server's words."""
        status, answer = self.call(method, path, token, body)
        if status != wanted:
            raise HarnessError(f"{method} {path} answered {status} instead of {wanted}: {json.dumps(answer)[:400]}")
        return answer

    def close(self):
        self.connection.close()


def in_parallel(address, items, work):
    """Runs `work(client, item)` for all items over a few kept connections, results in order."""
    items = list(items)
    if not items:
        return []
    results = [None] * len(items)
    lanes = min(SETUP_THREADS, len(items))

    def lane(first):
        client = Client(address)
        try:
            for index in range(first, len(items), lanes):
                results[index] = work(client, items[index])
        finally:
            client.close()

    with ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(lane, first) for first in range(lanes)]:
            done.result()
    return results
