/** A process of its own on a ledger, killed at will: appends without end, or holds or takes an account's lock. */
import { openLedger } from "../../dist/ledger/open.js";

const [, , act, url, account = "main"] = process.argv;
const silent = { warn: () => undefined, info: () => undefined };
const ledger = await openLedger({ url, log: silent, now: () => Date.now() });

/** Straight to the pipe: what was printed before the kill has left this process. */
function say(word) {
  process.stdout.write(`${word}\n`);
}

/** Until it is killed, or nobody listens any more: then writing to the pipe fails, which is heard between two turns. */
async function appendForever() {
  for (let turn = 0; ; turn += 1) {
    say(await ledger.append({ kind: "step-intended", account, body: { turn } }));
    await new Promise(setImmediate);
  }
}

async function hold() {
  say((await ledger.lock(account)) === null ? "refused" : "held");
  // Whoever waits for this process to die finds it alive until it is killed.
  setInterval(() => undefined, 60_000);
}

async function look() {
  await ledger.history({ limit: 1 });
  await ledger.append({ kind: "finding", account, body: null });
  await ledger.close();
  say("done");
}

const acts = { append: appendForever, hold, look };
await acts[act]();
