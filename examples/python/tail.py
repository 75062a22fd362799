"""Prints the top of a verified book, line by line: python3 tail.py sim:BTC-USD"""

import argparse
import asyncio
import os

from book import format_units
from depthwire import Client, Refused, Subscription


def show(subscription: Subscription) -> None:
    book, instrument = subscription.book, subscription.instrument
    if subscription.error or instrument is None:
        print(subscription.error or "connecting", flush=True)
        return

    def level(side: dict[int, int], best: int | None) -> str:
        if best is None:
            return "none"
        return f"{format_units(side[best], instrument['lot'])} @ {format_units(best, instrument['tick'])}"

    bid, ask = level(book.bids, max(book.bids, default=None)), level(book.asks, min(book.asks, default=None))
    epoch = subscription.origin["epoch"] if subscription.origin else 0
    run = f"epoch {epoch}, sequence {book.sequence}, checksum {book.checksum}"
    print(f"{book.state:10}  {bid} | {ask}  ({run})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instrument", help="such as sim:BTC-USD")
    parser.add_argument("--url", default="ws://127.0.0.1:8080/ws")
    parser.add_argument("--depth", type=int, default=50, help="levels a side, 0 for all")
    parser.add_argument("--cadence", type=int, default=100, help="least milliseconds between two frames")
    parser.add_argument("--rate", type=int, help="times a second at most that data is sent; the rest is merged")
    options = parser.parse_args()
    # In a variable, as arguments are for everybody on the machine to see.
    token = os.environ.get("DEPTHWIRE_KEY")
    client = Client(options.url, show, token, **({} if options.rate is None else {"rate": options.rate}))
    client.book(options.instrument, options.depth, options.cadence)
    try:
        asyncio.run(client.run())
    except KeyboardInterrupt:
        pass
    except Refused as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
