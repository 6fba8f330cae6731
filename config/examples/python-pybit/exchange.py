"""The bot's own connection to the exchange: pybit where it is installed, else the few requests that are used here."""

import hashlib
import hmac
import json
import os
import time
import urllib.parse
import urllib.request

try:
    from pybit.unified_trading import HTTP
except ImportError:
    HTTP = None


def connect():
    """By BYBIT_API_KEY, BYBIT_API_SECRET and BYBIT_REST_URL, such as https://api-demo.bybit.com."""
    key, secret, url = (os.environ[name] for name in ("BYBIT_API_KEY", "BYBIT_API_SECRET", "BYBIT_REST_URL"))
    if HTTP is None:
        return PlainSession(key, secret, url)
    session = HTTP(api_key=key, api_secret=secret)
    session.endpoint = url
    return session


class PlainSession:
    """What the bots use of pybit's session, with the same names and answers."""

    def __init__(self, key, secret, url):
        self._key, self._secret, self._url = key, secret, url

    def get_tickers(self, **query):
        return self._send("GET", "/v5/market/tickers", urllib.parse.urlencode(query))

    def get_positions(self, **query):
        return self._send("GET", "/v5/position/list", urllib.parse.urlencode(query))

    def place_order(self, **order):
        return self._send("POST", "/v5/order/create", json.dumps(order))

    def _send(self, method, path, payload):
        stamp, window = str(int(time.time() * 1000)), "5000"
        signed = hmac.new(self._secret.encode(), (stamp + self._key + window + payload).encode(), hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": self._key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": signed.hexdigest(),
        }
        url = f"{self._url}{path}?{payload}" if method == "GET" else self._url + path
        data = payload.encode() if method == "POST" else None
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
        if answer["retCode"] != 0:
            raise RuntimeError(f"{method} {path}: {answer['retCode']} {answer['retMsg']}")
        return answer
