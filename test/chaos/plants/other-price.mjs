/** A planted bug: what is sent is not what was written down. */
import { moved, onWrite } from "./wire.mjs";

onWrite((send, body) => {
  if (body.stopLoss === undefined) return send(body);
  return send({ ...body, stopLoss: moved(body.stopLoss, "0.001") });
});
