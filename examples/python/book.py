"""A book rebuilt from the frames of one channel: frames in, a verified book or an error out."""

from __future__ import annotations

import heapq
import struct
import zlib
from collections.abc import Iterable
from typing import Any

STATES = ("syncing", "live", "stale", "recovering")
SNAPSHOT, DELTA, STATE, MERGED, RESUMED = 1, 2, 3, 10, 13  # frame codes
CHECKSUM_DEPTH = 25


class BookError(Exception):
    """A frame is missing, wrong or malformed: the book is void until the next snapshot."""


def whole(value: Any) -> int:
    """Integers beyond 32 bits come as floats."""
    number = int(value)
    if number != value:
        raise ValueError(f"expected an integer, got {value!r}")
    return number


def format_units(count: int, scale: dict[str, int]) -> str:
    """A count of ticks or lots as exact decimal text."""
    number, decimals = count * scale["units"], scale["decimals"]
    digits = str(abs(number)).rjust(decimals + 1, "0")
    point = len(digits) - decimals
    return ("-" if number < 0 else "") + digits[:point] + ("." + digits[point:] if decimals else "")


def read_levels(wire: Iterable[Any], sign: int, reference: int) -> list[tuple[int, int]]:
    """Ticks and lots of each level, 0 lots where it is removed; `sign` is -1 for bids, 1 for asks."""
    elements = map(whole, wire)

    def number(element: int) -> int:
        leading = 0
        while element < 0:
            if element < -32:
                raise ValueError(f"leading digit {element}")
            leading, element = 32 * leading - element, next(elements)
        return 128 * leading + element

    ticks, levels, is_first = reference, [], True
    for element in elements:
        step = element if is_first else number(element)
        is_first = False
        ticks += sign * (step >> 1)
        try:
            levels.append((ticks, 0 if step & 1 else number(next(elements))))
        except StopIteration:
            raise ValueError("the levels end within one") from None
    return levels


class Book:
    """The book of one channel: `live` only while it is the server's."""

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.sequence = 0
        self.time_ms = 0
        self.reason: str | None = None
        self.seq: int | None = None  # None while a snapshot is awaited
        self.resumed_to = 0
        self.from_sequence: int | None = None  # where a frame of another gateway has to go on from
        self._state = "syncing"
        self._reference = 0

    @property
    def state(self) -> str:
        is_whole = self.seq is not None and self.seq >= self.resumed_to
        return self._state if is_whole or self._state == "syncing" else "recovering"

    @property
    def checksum(self) -> int:
        bids = heapq.nlargest(CHECKSUM_DEPTH, self.bids.items())
        asks = heapq.nsmallest(CHECKSUM_DEPTH, self.asks.items())
        levels = b"".join(struct.pack(">qq", *level) for level in bids + asks)
        return zlib.crc32(struct.pack(">BB", len(bids), len(asks)) + levels)

    def void(self) -> None:
        """The next frame that counts is a snapshot."""
        self.seq, self.resumed_to, self.from_sequence = None, 0, None

    def move(self) -> None:
        """The next frame that counts begins the channel of another gateway from the book as it is, or is a snapshot."""
        sequence = self.sequence
        self.void()
        self.from_sequence = sequence

    def apply(self, frame: list[Any]) -> bool:
        """Whether anything changed. Raises BookError, and is void then."""
        try:
            return self._apply(frame)
        except (BookError, ValueError, TypeError, IndexError, OverflowError) as error:
            self.void()
            raise BookError(str(error)) from error

    def _apply(self, frame: list[Any]) -> bool:
        code, seq = frame[0], whole(frame[2])
        if self.seq is None:
            if self.from_sequence is not None and code != SNAPSHOT:
                if code != RESUMED or whole(frame[4]) != self.from_sequence:
                    raise BookError(f"expected a frame from update {self.from_sequence}")
            elif code != SNAPSHOT:
                return False
        elif seq <= self.seq:
            return False
        elif code != SNAPSHOT and (whole(frame[3]) if code == MERGED else seq - 1) != self.seq:
            raise BookError(f"a frame is missing between {self.seq} and {seq}")
        if code == SNAPSHOT:
            state, sequence, time_ms, _lag, reference, bids, asks, checksum = frame[3:11]
            self._reference = whole(reference)
            self.bids, self.asks = {}, {}
            self.sequence, self.time_ms = whole(sequence), whole(time_ms)
            self._change(bids, asks)
            self._mark(state, frame[11] if len(frame) > 11 else None)
        elif code == RESUMED:
            state, _from, sequence, time_ms, _age, _lag, reference, bids, asks, checksum = frame[3:13]
            self._reference = whole(reference)
            self.sequence, self.time_ms = whole(sequence), whole(time_ms)
            self._change(bids, asks)
            self._mark(state, frame[13] if len(frame) > 13 else None)
        elif code == STATE:
            self.time_ms += whole(frame[4])
            self._mark(frame[3], frame[5])
            checksum = None
        elif code == MERGED:
            state, merged, elapsed_ms, _age, _lag, bids, asks, checksum = frame[4:12]
            self.sequence += whole(merged)
            self.time_ms += whole(elapsed_ms)
            self._change(bids, asks)
            self._mark(state, frame[12] if len(frame) > 12 else None)
        elif code == DELTA:
            self.sequence += whole(frame[3])
            self.time_ms += whole(frame[4])
            self._change(frame[7], frame[8])
            checksum = frame[9] if len(frame) > 9 else None
        else:
            raise BookError(f"frame code {code}")
        self.seq, self.from_sequence = seq, None
        if checksum is not None and self.checksum != whole(checksum):
            raise BookError(f"checksum of frame {seq}: {self.checksum} here, {checksum} there")
        return True

    def _change(self, bids: list[Any], asks: list[Any]) -> None:
        for side, wire, sign in ((self.bids, bids, -1), (self.asks, asks, 1)):
            for ticks, lots in read_levels(wire, sign, self._reference):
                if lots:
                    side[ticks] = lots
                else:
                    side.pop(ticks, None)

    def _mark(self, state: Any, reason: str | None) -> None:
        self._state, self.reason = STATES[whole(state)], reason
