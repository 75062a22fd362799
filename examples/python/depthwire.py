"""A client of Depthwire: verified books over a WebSocket. Written from docs/protocol.md, whose words it uses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgpack
import websockets

from book import DELTA, MERGED, RESUMED, SNAPSHOT, STATE, Book, BookError, whole

ANSWER_S = 10.0  # and a heartbeat
SNAPSHOT_S = 5.0
MAX_TRIES = 3
REST_S = 10.0  # of a channel whose snapshots are wrong
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0
LASTING_S = 10.0  # a connection that lived for so long was a good one
FATAL_CODES = (1002, 1009, 4400, 4401)
FATAL_STATUSES = (400, 401, 403, 404)


class Lost(Exception):
    """The connection is of no use any more."""


class Refused(Exception):
    """Coming back cannot help."""


class Subscription:
    """One book, over all connections. `error` says why there is none."""

    def __init__(self, instrument: str, depth: int, cadence: int) -> None:
        self.request = {"op": "subscribe", "topic": "book", "instrument": instrument, "depth": depth, "cadence": cadence}
        self.book = Book()
        self.instrument: dict[str, Any] | None = None
        self.error: str | None = None
        self.ch: int | None = None  # on this connection, once it is answered
        self.origin: dict[str, Any] | None = None  # what `resume` says of where the book is from
        self.wanted_at: float | None = None  # when to ask (again) for what is awaited
        self.tries = 0
        self.wrong_snapshots = 0


class Client:
    """Holds the connection: `run` ends only by being cancelled, or with Refused."""

    def __init__(
        self, url: str, on_change: Callable[[Subscription], None], token: str | None = None, **limit: int
    ) -> None:
        """`token` is a key or a JSON Web Token, where the server wants one; `limit` is what the request of that
        name takes: `bandwidth`, `rate`."""
        self.url, self.on_change, self.token, self.limit = url, on_change, token, limit
        self.subscriptions: list[Subscription] = []
        self._asked: dict[int | None, Subscription] = {}  # by the id of the request
        self._next_id = 1
        self._reconnect_s: float | None = None

    def book(self, instrument: str, depth: int = 50, cadence: int = 100) -> Subscription:
        """Before `run`; one for each instrument, depth and cadence."""
        self.subscriptions.append(Subscription(instrument, depth, cadence))
        return self.subscriptions[-1]

    async def run(self) -> None:
        attempt, clock = 0, asyncio.get_running_loop()
        while True:
            began = clock.time()
            try:
                # The library answers the server's pings, and finds by its own whether the server is gone.
                async with websockets.connect(
                    self.url,
                    subprotocols=[websockets.Subprotocol("depthwire.v1.msgpack")],
                    compression=None,
                    max_size=None,
                    ping_interval=15,
                    ping_timeout=15,
                ) as socket:
                    await self._converse(socket)
            except (OSError, asyncio.TimeoutError, Lost, websockets.WebSocketException) as error:
                if is_fatal(error):
                    raise Refused(f"{self.url}: {error}") from error
            for subscription in self.subscriptions:
                subscription.book.resumed_to = 2**53  # not whole until the next connection says so
                self.on_change(subscription)
            attempt = 0 if clock.time() - began >= LASTING_S else attempt
            longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)
            wait, self._reconnect_s = self._reconnect_s, None
            await asyncio.sleep(longest * random.uniform(0.1, 1) if wait is None else wait * random.random())
            attempt = min(attempt + 1, 30)

    async def _converse(self, socket: Any) -> None:
        hello = decode(await asyncio.wait_for(socket.recv(), ANSWER_S))
        if hello["protocol"] != 1:
            raise Refused(f"the server speaks version {hello['protocol']} of the protocol")
        self._asked.clear()
        await self._authenticate(socket, hello)
        if self.limit:
            await self._send(socket, {"op": "limit", **self.limit}, None)
        for subscription in self.subscriptions:
            await self._subscribe(socket, subscription, hello)
        while True:
            try:
                await self._take(socket, decode(await asyncio.wait_for(socket.recv(), 0.25)), hello)
            except asyncio.TimeoutError:
                pass
            await self._ask_again(socket, hello)

    async def _authenticate(self, socket: Any, hello: dict[str, Any]) -> None:
        if self.token is None:
            if hello["principal"] is None:
                raise Refused("the server wants a key or token")
            return
        await self._send(socket, {"op": "authenticate", "token": self.token}, None)
        answer = decode(await asyncio.wait_for(socket.recv(), ANSWER_S))
        if answer["op"] != "authenticated":
            raise Refused(f"{answer['code']}: {answer['message']}")

    async def _send(self, socket: Any, request: dict[str, Any], subscription: Subscription | None) -> None:
        if subscription is not None:
            self._asked[self._next_id] = subscription
        await socket.send(msgpack.packb({**request, "id": self._next_id}))
        self._next_id = (self._next_id + 1) % 2**32

    async def _subscribe(self, socket: Any, subscription: Subscription, hello: dict[str, Any]) -> None:
        request, book = dict(subscription.request), subscription.book
        if subscription.origin is not None and book.seq is not None:
            request["resume"] = {**subscription.origin, "seq": book.seq, "sequence": book.sequence}
        subscription.ch, subscription.tries = None, 0
        subscription.wanted_at = now() + ANSWER_S + hello["heartbeatMs"] / 1000
        await self._send(socket, request, subscription)

    async def _want_snapshot(self, socket: Any, subscription: Subscription) -> None:
        subscription.wanted_at = now() + SNAPSHOT_S
        await self._send(socket, {"op": "snapshot", "ch": subscription.ch}, subscription)

    async def _ask_again(self, socket: Any, hello: dict[str, Any]) -> None:
        for subscription in self.subscriptions:
            if subscription.wanted_at is None or now() < subscription.wanted_at:
                continue
            subscription.tries += 1
            if subscription.tries > MAX_TRIES or (subscription.ch is None and subscription.error is None):
                raise Lost("no answer")
            if subscription.ch is None:
                await self._subscribe(socket, subscription, hello)
            else:
                await self._want_snapshot(socket, subscription)

    async def _take(self, socket: Any, message: Any, hello: dict[str, Any]) -> None:
        if isinstance(message, list):
            for subscription in self.subscriptions:
                if subscription.ch == message[1] and message[0] in (SNAPSHOT, DELTA, STATE, MERGED, RESUMED):
                    await self._apply(socket, subscription, message)
            return
        op = message["op"]
        asker = self._asked.pop(message.get("id", -1), None)
        if op == "goodbye":
            self._reconnect_s = message["reconnectMs"] / 1000
        elif op == "instrument":
            for each in self.subscriptions:
                await self._renew(socket, each, message)
        elif op == "subscribed" and asker is not None:
            origin = {
                "epoch": whole(message["epoch"]),
                "ch": message["ch"],
                "gateway": hello["gateway"],
                "depth": message["depth"],
            }
            before, asker.ch, asker.origin = asker.origin, message["ch"], origin
            asker.error, asker.instrument = None, message["instrument"]
            if "seq" in message and before == origin:
                asker.book.resumed_to = message["seq"]
                asker.wanted_at = None
                self.on_change(asker)
            elif "seq" in message and before is not None and before["epoch"] == origin["epoch"]:
                asker.book.move()
                asker.wanted_at = now() + SNAPSHOT_S
            else:
                asker.book.void()
                asker.wanted_at = now() + SNAPSHOT_S
        elif op == "error" and asker is not None:
            asker.error = f"{message['code']}: {message['message']}"
            asker.wanted_at = now() + random.uniform(1, 2) if message["retry"] else None
            self.on_change(asker)

    async def _apply(self, socket: Any, subscription: Subscription, frame: list[Any]) -> None:
        is_snapshot = frame[0] in (SNAPSHOT, RESUMED)
        try:
            if not subscription.book.apply(frame):
                return
        except BookError:
            subscription.wrong_snapshots += is_snapshot
            if subscription.wrong_snapshots >= MAX_TRIES:
                subscription.wrong_snapshots, subscription.wanted_at = 0, now() + REST_S
            else:
                await self._want_snapshot(socket, subscription)
        else:
            subscription.error = None
            if is_snapshot:
                subscription.wanted_at, subscription.tries, subscription.wrong_snapshots = None, 0, 0
        self.on_change(subscription)

    async def _renew(self, socket: Any, subscription: Subscription, message: dict[str, Any]) -> None:
        before, instrument = subscription.instrument, message["instrument"]
        if before is None or before["id"] != instrument["id"]:
            return
        subscription.instrument = instrument
        if subscription.origin is not None and subscription.origin["epoch"] != message["epoch"]:
            # The snapshot that follows has the counts of the new epoch: until then nothing can go on from the old ones.
            subscription.origin["epoch"] = whole(message["epoch"])
            subscription.book.void()
            subscription.wanted_at = now() + SNAPSHOT_S
        if (before["tick"], before["lot"]) != (instrument["tick"], instrument["lot"]):
            subscription.book.void()
            if subscription.ch is not None:
                await self._want_snapshot(socket, subscription)
        self.on_change(subscription)


def decode(data: Any) -> Any:
    try:
        return msgpack.unpackb(data)
    except (ValueError, TypeError) as error:
        raise Lost(f"not MessagePack: {error}") from error


def now() -> float:
    return asyncio.get_running_loop().time()


def is_fatal(error: Exception) -> bool:
    """Whether coming back cannot help: by close code, or by the HTTP status of the handshake."""
    close = getattr(error, "rcvd", None)
    response = getattr(error, "response", error)
    return getattr(close, "code", None) in FATAL_CODES or getattr(response, "status_code", None) in FATAL_STATUSES
