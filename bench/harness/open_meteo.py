"""A local look-alike of Open-Meteo's forecast service, so that no bench calls a real provider.

It answers the request that the adapter makes (any hourly variables, one or many locations, times
as unix seconds or ISO 8601) with plausible numbers, counts what it was asked, and can be told to
be slow. Run as a program it prints the address it listens on. Beside the service it has

    GET /count            {"requests": …, "locations": …, "cells": distinct coordinates}
    GET /count?lat=&lon=  of the locations within 0.2 degrees: {"packs": how often each list of variables was asked for}
    GET /control?delay_ms=&reset=1

Simplifications: `timezone=auto` uses the zone's hour by longitude; the grid cell returned is the one
asked for; the 64 weather series it knows repeat over the globe. The text of a series is made once,
so that the look-alike takes little of the cores that the server under test needs.
"""

import asyncio
import datetime
import functools
import json
import math
import re
import sys
import time
from urllib.parse import parse_qs, urlsplit

SERIES = 64

# Unit, mean, daily swing and decimals of what the adapters ask for; anything else gets the last row.
VARIABLES = {
    "temperature_2m": ("°C", 9.0, 6.0, 1),
    "apparent_temperature": ("°C", 7.0, 7.0, 1),
    "relative_humidity_2m": ("%", 70.0, 20.0, 0),
    "dew_point_2m": ("°C", 4.0, 3.0, 1),
    "precipitation": ("mm", 0.2, 0.2, 1),
    "precipitation_probability": ("%", 35.0, 30.0, 0),
    "snowfall": ("cm", 0.0, 0.0, 2),
    "weather_code": ("wmo code", 2.0, 1.0, 0),
    "cloud_cover": ("%", 55.0, 40.0, 0),
    "pressure_msl": ("hPa", 1013.0, 5.0, 1),
    "visibility": ("m", 24000.0, 8000.0, 0),
    "wind_speed_10m": ("m/s", 5.0, 3.0, 1),
    "wind_direction_10m": ("°", 180.0, 120.0, 0),
    "wind_gusts_10m": ("m/s", 9.0, 5.0, 1),
    "uv_index": ("", 2.0, 2.0, 2),
    "is_day": ("", 0.5, 0.5, 0),
}
OTHER = ("", 10.0, 5.0, 1)


def value(variable, series, hour):
    """A repeatable number: a daily wave, a slower one, and a phase of its own per series."""
    _, mean, swing, decimals = VARIABLES.get(variable, OTHER)
    wave = math.sin((hour + series) * math.pi / 12) * 0.7 + math.sin((hour + 5 * series) * math.pi / 50) * 0.3
    number = round(mean + swing * wave, decimals)
    return int(number) if decimals == 0 else number


def compact(thing):
    return json.dumps(thing, ensure_ascii=False, separators=(",", ":"))


@functools.lru_cache(maxsize=256)
def times_text(unix, first, offset, hours):
    """The array of times. Unix seconds are true ones; ISO times are the zone's wall clock."""
    times = [first + hour * 3600 for hour in range(hours)]
    if not unix:
        times = [datetime.datetime.fromtimestamp(at + offset, datetime.UTC).strftime("%Y-%m-%dT%H:%M") for at in times]
    return compact(times)


@functools.lru_cache(maxsize=1024)
def values_text(variables, series, hours):
    """The arrays of all variables, as members of an object without its braces, each behind a comma."""
    columns = {variable: [value(variable, series, hour) for hour in range(hours)] for variable in variables}
    return "".join(f',"{variable}":{compact(column)}' for variable, column in columns.items())


@functools.lru_cache(maxsize=256)
def units_text(unix, variables):
    units = {variable: VARIABLES.get(variable, OTHER)[0] for variable in variables}
    return compact({"time": "unixtime" if unix else "iso8601", **units})


class Service:
    """Counters, delay and the answers."""

    def __init__(self):
        self.delay = 0.0
        self.reset()

    def reset(self):
        self.requests = 0
        self.locations = 0
        self.cells = {}

    def counts(self, query):
        if "lat" not in query or "lon" not in query:
            return {"requests": self.requests, "locations": self.locations, "cells": len(self.cells)}
        lat, lon = float(query["lat"][0]), float(query["lon"][0])
        packs = {}
        for (cell_lat, cell_lon), asked in self.cells.items():
            if abs(cell_lat - lat) <= 0.2 and abs(cell_lon - lon) <= 0.2:
                for variables, times in asked.items():
                    packs[",".join(variables)] = packs.get(",".join(variables), 0) + times
        return {"packs": packs}

    def forecast(self, query):
        latitudes = [float(word) for word in query["latitude"][0].split(",")]
        longitudes = [float(word) for word in query["longitude"][0].split(",")]
        if len(latitudes) != len(longitudes):
            return None
        elevations = query.get("elevation", [""])[0].split(",")
        variables = tuple(word for part in query.get("hourly", []) for word in part.split(",") if word)
        days = min(int(query.get("forecast_days", ["7"])[0]), 16)
        past_days = min(int(query.get("past_days", ["0"])[0]), 2)
        unix = query.get("timeformat", [""])[0] == "unixtime"
        auto = query.get("timezone", [""])[0] == "auto"
        hours, now = (days + past_days) * 24, int(time.time())
        answers = []
        for index, (lat, lon) in enumerate(zip(latitudes, longitudes)):
            self.locations += 1
            packs = self.cells.setdefault((round(lat, 4), round(lon, 4)), {})
            packs[variables] = packs.get(variables, 0) + 1
            offset = round(lon / 15) * 3600 if auto else 0
            first = (now + offset) // 86400 * 86400 - offset - past_days * 86400
            series = int(abs(lat * 20) + abs(lon * 20) * 7) % SERIES
            text = (
                f'"hourly_units":{units_text(unix, variables)},'
                f'"hourly":{{"time":{times_text(unix, first, offset, hours)}{values_text(variables, series, hours)}}}'
            )
            try:
                elevation = float(elevations[index])
            except (ValueError, IndexError):
                elevation = round(abs(lat * 3 + lon) % 300)
            location = f'"location_id":{index},' if index else ""
            answers.append(
                f'{{"latitude":{lat},"longitude":{lon},"generationtime_ms":0.05,"utc_offset_seconds":{offset},'
                f'"timezone":"GMT","timezone_abbreviation":"GMT","elevation":{elevation},{location}{text}}}'
            )
        return answers[0] if len(answers) == 1 else "[" + ",".join(answers) + "]"

    def answer(self, target):
        """Returns (status, text, seconds to wait before sending)."""
        url = urlsplit(target)
        query = parse_qs(url.query)
        try:
            if url.path == "/count":
                return 200, json.dumps(self.counts(query)), 0
            if url.path == "/control":
                self.delay = float(query.get("delay_ms", [self.delay * 1000])[0]) / 1000
                if "reset" in query:
                    self.reset()
                return 200, "{}", 0
            self.requests += 1
            if url.path.endswith("/v1/elevation"):
                points = query["latitude"][0].split(",")
                return 200, json.dumps({"elevation": [100.0] * len(points)}), self.delay
            if url.path.endswith("/v1/forecast"):
                text = self.forecast(query)
                if text is not None:
                    return 200, text, self.delay
        except (KeyError, ValueError):
            pass
        return 400, '{"error":true,"reason":"the look-alike does not understand this request"}', 0


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection; requests are GET without a body and are answered in order."""

    def __init__(self, service):
        self.service = service
        self.held = b""
        self.tasks = asyncio.Queue()
        self.worker = None

    def connection_made(self, transport):
        self.transport = transport
        self.worker = asyncio.ensure_future(self.answer_all())

    def connection_lost(self, _error):
        self.worker.cancel()

    def data_received(self, data):
        self.held += data
        while b"\r\n\r\n" in self.held:
            head, self.held = self.held.split(b"\r\n\r\n", 1)
            line = re.match(rb"GET (\S+) HTTP/1\.1\r?", head)
            self.tasks.put_nowait(line.group(1).decode("ascii", "replace") if line else "/")
        if len(self.held) > 65536:
            self.transport.abort()

    async def answer_all(self):
        while True:
            status, text, delay = self.service.answer(await self.tasks.get())
            if delay:
                await asyncio.sleep(delay)
            body = text.encode()
            reason = "OK" if status == 200 else "Bad Request"
            head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
            self.transport.write(head.encode() + body)


async def serve():
    service = Service()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=1024)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        sys.exit(0)
