"""Gives every generated request an account to act as.

Schemathesis loads this module (see schemathesis.toml) and asks `Caller` for the credentials of each
request. The instance under test is named by the environment variable FAIRWEATHER_URL.
"""

import json
import os
import time
import urllib.request

import schemathesis

# An account is replaced before its burst of requests or its ten-minute token is used up: an answer
# of the limiter would hide the handler's.
REQUESTS_PER_ACCOUNT = 200
SECONDS_PER_ACCOUNT = 300


def new_access_token() -> str:
    """Makes an anonymous account and returns its access token."""
    request = urllib.request.Request(
        os.environ["FAIRWEATHER_URL"] + "/v1/auth/anonymous",
        data=b"{}",
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)["access_token"]


def may_end_session(method: str, path: str) -> bool:
    """Whether an operation can end the session, or the account, that calls it."""
    if path.startswith("/v1/auth/"):
        return True
    return path.startswith("/v1/me") and method.upper() != "GET"


@schemathesis.auth(refresh_interval=None)
class Caller:
    """One account for many requests, and a throw-away one where the request may be its last."""

    def __init__(self) -> None:
        self.token = ""
        self.requests_left = 0
        self.made_at = 0.0

    def get(self, case, context) -> str:
        if may_end_session(context.operation.method, context.operation.path):
            return new_access_token()
        old = time.monotonic() - self.made_at > SECONDS_PER_ACCOUNT
        if self.requests_left == 0 or old:
            self.token = new_access_token()
            self.requests_left = REQUESTS_PER_ACCOUNT
            self.made_at = time.monotonic()
        self.requests_left -= 1
        return self.token

    def set(self, case, data: str, context) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
