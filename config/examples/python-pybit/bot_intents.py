"""A bot that tells its levels first and orders then: its stop is set the moment the position opens, and outlives it."""

import json
import time
import uuid
from decimal import Decimal

from backstop_client import Backstop
from exchange import connect

ACCOUNT, SYMBOL, QTY = "main", "BTCUSDT", "0.1"


def main():
    session, backstop = connect(), Backstop()
    ticker = session.get_tickers(category="linear", symbol=SYMBOL)["result"]["list"][0]
    mark = Decimal(ticker["markPrice"])
    # Only the position that this order opens takes the levels up. Any price will do: it is rounded to the tick.
    link = f"bot-{uuid.uuid4().hex[:20]}"
    told = backstop.set_intent(
        ACCOUNT,
        SYMBOL,
        side="long",
        stopLoss=plain(mark * Decimal("0.985")),
        takeProfit=plain(mark * Decimal("1.03")),
        orderLinkId=link,
        who="bot_intents",
    )
    session.place_order(
        category="linear", symbol=SYMBOL, side="Buy", orderType="Market", qty=QTY, positionIdx=0, orderLinkId=link
    )
    position = protected(session)
    intent = backstop.intent(ACCOUNT, SYMBOL)
    print(json.dumps({"told": told["status"], "state": intent["state"], "wanted": intent["stopLoss"], **position}))


def protected(session, within_seconds=15):
    """Waits until the exchange itself holds both exits."""
    end = time.monotonic() + within_seconds
    while time.monotonic() < end:
        rows = session.get_positions(category="linear", symbol=SYMBOL)["result"]["list"]
        for row in rows:
            if all(Decimal(row[exit] or "0") > 0 for exit in ("stopLoss", "takeProfit")):
                return {"stopLoss": row["stopLoss"], "takeProfit": row["takeProfit"]}
        time.sleep(0.1)
    raise SystemExit("the exits are not there in time: what does the log of the sidecar say?")


def plain(price):
    """Never 6E+4."""
    return format(price.quantize(Decimal("0.00000001")), "f")


if __name__ == "__main__":
    main()
