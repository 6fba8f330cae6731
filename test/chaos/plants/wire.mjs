/** Where planted bugs take hold of what is sent: between the program and the SDK's signing. */
import { RestClientV5 } from "bybit-api";
import { Decimal } from "decimal.js";

/** `deed(send, body)` in place of each write. */
export function onWrite(deed) {
  const { postPrivate } = RestClientV5.prototype;
  RestClientV5.prototype.postPrivate = function (path, body) {
    return deed((other) => postPrivate.call(this, path, other), body);
  };
}

/** The price moved by a share of itself, with as many digits as it had. */
export function moved(price, share) {
  const exact = new Decimal(price);
  return exact.times(new Decimal(share).plus(1)).toFixed(exact.decimalPlaces());
}
