"""Asks the sidecar (`npx bybit-backstop run`) over HTTP; the standard library is enough."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path


class Refused(Exception):
    """The sidecar said no; the message says what would be right."""

    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class Backstop:
    """`url` and `token_file` as in the config of the sidecar: `http.host`, `http.port`, `http.tokenFile`."""

    def __init__(self, url=None, token_file=None, timeout_seconds=10):
        self.url = (url or os.environ.get("BACKSTOP_URL", "http://127.0.0.1:8787")).rstrip("/")
        path = Path(token_file or os.environ.get("BACKSTOP_TOKEN_FILE", "state/token"))
        self._token = path.read_text(encoding="utf-8").strip()
        self._timeout_seconds = timeout_seconds

    def set_intent(self, account, symbol, *, category="linear", position_idx=0, **intent):
        """Tells the levels of one position: side, stopLoss, takeProfit, orderLinkId, … as docs/http.md lists them."""
        return self._call("PUT", self._place(account, category, symbol, position_idx), intent)

    def intent(self, account, symbol, *, category="linear", position_idx=0):
        """What waits for the position or belongs to it. Raises `Refused` with status 404 where there is none."""
        return self._call("GET", self._place(account, category, symbol, position_idx))

    def clear_intent(self, account, symbol, *, category="linear", position_idx=0):
        """From now on the sidecar's config decides; what rests at the exchange stays there."""
        return self._call("DELETE", self._place(account, category, symbol, position_idx))

    def quote(self, account, symbol, side, *, category="linear", price=None, position_idx=0):
        """The exits for an order that is about to be sent, as fields of `order/create`."""
        order = {"account": account, "category": category, "symbol": symbol, "side": side, "positionIdx": position_idx}
        return self._call("POST", "/v1/quote", order if price is None else {**order, "price": price})

    @staticmethod
    def _place(account, category, symbol, position_idx):
        return f"/v1/intents/{account}/{category}/{symbol}/{position_idx}"

    def _call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            told = json.loads(error.read() or b"{}").get("error", {})
            raise Refused(error.code, told.get("code", "unknown"), told.get("message", "")) from None
