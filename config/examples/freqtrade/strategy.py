"""The mixin in a strategy: two lines more than without it."""

from backstop_intents import BackstopIntents
from freqtrade.strategy import IStrategy


class Guarded(BackstopIntents, IStrategy):
    """Enters on a crossing of two means; its stop trails, and each step of it is told."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    minimal_roi = {"0": 0.04}
    stoploss = -0.02
    trailing_stop = True
    # The sidecar's stop is the one at the exchange.
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}

    backstop_file = "user_data/backstop/intents.json"

    def populate_indicators(self, dataframe, metadata):
        dataframe["fast"] = dataframe["close"].rolling(12).mean()
        dataframe["slow"] = dataframe["close"].rolling(48).mean()
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["fast"] > dataframe["slow"], "enter_long"] = 1
        dataframe.loc[dataframe["fast"] < dataframe["slow"], "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
