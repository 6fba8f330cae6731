/** A planted bug: what was sent once is sent again every second. */
import { onWrite } from "./wire.mjs";

onWrite((send, body) => {
  setInterval(() => void send(body).catch(() => undefined), 1_000).unref();
  return send(body);
});
