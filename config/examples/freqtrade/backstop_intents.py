"""Writes the stops of freqtrade's open trades into one JSON file, which the sidecar (`npx bybit-backstop run`) watches."""

import json
import logging
import os
import tempfile
from decimal import Decimal
from pathlib import Path

logger = logging.getLogger(__name__)


class BackstopIntents:
    """
    A mixin for a strategy: `class MyStrategy(BackstopIntents, IStrategy)`. Once per loop the stop of every open trade
    goes into `backstop_file`, also a trailed one. A trade that has ended leaves the file.
    """

    # The same file as `intents.file` in the sidecar's config.
    backstop_file = "user_data/backstop/intents.json"
    # The account's name there.
    backstop_account = "main"

    def bot_loop_start(self, current_time, **kwargs):
        super().bot_loop_start(current_time=current_time, **kwargs)
        if not self.backstop_is_live():
            return
        try:
            write_intents(self.backstop_file, self.backstop_intents())
        except Exception:
            # The file stays as it was; trading goes on, and what rests at the exchange stays there.
            logger.exception("the stops could not be told to the sidecar")

    def backstop_take_profit(self, trade):
        """Override it for trades with a fixed target, as a price. None: the sidecar's config decides."""
        return None

    def backstop_is_live(self):
        """Backtests and dry runs have no position at the exchange."""
        return self.dp is not None and self.dp.runmode.value == "live"

    def backstop_trades(self):
        from freqtrade.persistence import Trade

        return Trade.get_open_trades()

    def backstop_intents(self):
        told = [
            intent_of(trade, self.backstop_account, self.backstop_take_profit(trade))
            for trade in self.backstop_trades()
        ]
        return [intent for intent in told if intent is not None]


def intent_of(trade, account, take_profit=None):
    """None: the trade has no level yet, or is no contract of the one-way mode that freqtrade uses."""
    symbol = contract_of(trade.pair)
    levels = {"stopLoss": plain(trade.stop_loss), "takeProfit": plain(take_profit)}
    known = {name: level for name, level in levels.items() if level is not None}
    if symbol is None or not known:
        return None
    return {
        # Another trade in the same pair is another id: the levels of the one before never reach it.
        "id": f"freqtrade-{trade.id}-{int(trade.open_date_utc.timestamp())}",
        "account": account,
        "category": "linear",
        "symbol": symbol,
        "positionIdx": 0,
        "side": "short" if trade.is_short else "long",
        **known,
        "ttlSeconds": 600,
    }


def contract_of(pair):
    """`BTC/USDT:USDT` → `BTCUSDT`, `BTC/USDC:USDC` → `BTCPERP`; None: spot, an inverse or a dated contract."""
    base, _, rest = pair.partition("/")
    quote, _, settle = rest.partition(":")
    if quote != settle or quote not in ("USDT", "USDC"):
        return None
    return f"{base}USDT" if quote == "USDT" else f"{base}PERP"


def plain(price):
    """As the float prints, in plain notation; None: there is no such price."""
    if price is None or not price > 0:
        return None
    return format(Decimal(repr(float(price))), "f")


def write_intents(file, intents):
    """Whole or not at all: a reader sees the file before or after, never half of it."""
    path = Path(file)
    text = json.dumps({"intents": intents}, indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
