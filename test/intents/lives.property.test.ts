/** Whatever happens in whatever order: an intent is in force for one life at most, and never once it is over. */
import fc from "fast-check";
import { assert, expect, test } from "vitest";
import type { Position, Side } from "../../src/domain/position.js";
import { withIntents } from "../../src/intents/memory.js";
import { openShelf, type Shelf } from "../../src/intents/shelf.js";
import { type LedgerMemory, ledgerMemory } from "../../src/ledger/ledger-memory.js";
import type { Memory } from "../../src/ledger/memory.js";
import type { Intent, Ledger, Life } from "../../src/ledger/port.js";
import { aPosition } from "../builders/position.js";
import { anIntent, NOW_MS } from "./stage.js";

type Kept = Pick<Ledger, "intents" | "saveIntent" | "bindIntent" | "endIntent" | "openLives" | "saveLife" | "writable">;

/** As the port promises, and no more. */
function ledgerInMemory(): Kept {
  const intents = new Map<string, Intent>();
  const lives = new Map<string, Life>();
  const change = (id: string, from: readonly Intent["state"][], to: Partial<Intent>) => {
    const known = intents.get(id);
    if (known === undefined || !from.includes(known.state)) return Promise.resolve(false);
    intents.set(id, { ...known, ...to });
    return Promise.resolve(true);
  };
  return {
    intents: () =>
      Promise.resolve([...intents.values()].filter(({ state }) => state === "pending" || state === "bound")),
    saveIntent: (intent) => {
      const known = intents.get(intent.id);
      if (known !== undefined && known.state !== "pending") return Promise.resolve(false);
      intents.set(intent.id, intent);
      return Promise.resolve(true);
    },
    bindIntent: (id, lifeId) => change(id, ["pending"], { state: "bound", lifeId }),
    endIntent: (id, endedHow, state = "ended") => change(id, ["pending", "bound"], { state, endedHow }),
    openLives: () => Promise.resolve([...lives.values()].filter(({ ended }) => ended === null)),
    saveLife: (life) => Promise.resolve(void lives.set(life.id, life)),
    writable: () => null,
  };
}

type Act =
  | { readonly does: "open" | "put"; readonly side: Side }
  | { readonly does: "close" | "flip" | "look" | "hear of the close" | "refresh" | "restart" | "clear" | "put again" }
  | { readonly does: "wait"; readonly ms: number };

const side = fc.constantFrom<Side>("long", "short");
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ does: fc.constantFrom("open" as const, "put" as const), side }),
  fc.record({
    does: fc.constantFrom(
      ...(["close", "flip", "look", "hear of the close", "refresh", "restart", "clear", "put again"] as const),
    ),
  }),
  fc.record({ does: fc.constant("look" as const) }),
  fc.record({ does: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 400_000 }) }),
);

class World {
  readonly #ledger = ledgerInMemory();
  readonly #over = new Set<string>();
  readonly #owner = new Map<string, number>();
  readonly #intents: Intent[] = [];
  #nowMs = NOW_MS;
  #position: Position | null = null;
  #lives!: LedgerMemory;
  #shelf!: Shelf;
  #memory!: Memory;
  /** How often one was found in force: a run that finds none proves nothing. */
  inForce = 0;

  async start(): Promise<void> {
    const now = () => this.#nowMs;
    this.#lives = ledgerMemory({ ledger: this.#ledger, now });
    this.#shelf = openShelf({
      ledger: this.#ledger,
      now,
      mayBind: () => true,
      isOver: (account, lifeId) => this.#lives.isOver(account, lifeId),
      tell: ({ change, intent }) => {
        if (change !== "set" && change !== "bound") this.#over.add(intent.id);
      },
    });
    this.#memory = withIntents(this.#lives, this.#shelf);
    await this.#lives.load("main");
    await this.#shelf.refresh("main");
  }

  async act(what: Act): Promise<void> {
    // Openings of the same quarter of a second are not told apart.
    this.#nowMs += 300;
    switch (what.does) {
      case "open":
        if (this.#position === null) this.#open(what.side);
        return;
      case "close":
        this.#position = null;
        return;
      case "flip":
        if (this.#position !== null) this.#open(this.#position.side === "long" ? "short" : "long");
        return;
      case "hear of the close":
        if (this.#position === null) this.#lives.end(aPosition().key, "closed");
        return;
      case "look":
        return this.#look();
      case "refresh":
        return void (await this.#shelf.refresh("main"));
      case "restart":
        await this.#lives.flush();
        return this.start();
      case "clear":
        return void (await this.#shelf.clear(aPosition().key));
      case "put":
        return this.#put(this.#made(what.side));
      case "put again": {
        const last = this.#intents.at(-1);
        return last === undefined ? undefined : this.#put(last);
      }
      case "wait":
        this.#nowMs += what.ms;
    }
  }

  #open(of: Side): void {
    this.#position = aPosition({ side: of, openedAtMs: this.#nowMs });
  }

  /** As it is kept when somebody has looked. */
  #made(of: Side): Intent {
    const open = this.#position?.side === of ? this.#position : null;
    const setFor: Intent["setFor"] =
      open === null
        ? { kind: "next", seenAtMs: this.#nowMs }
        : { kind: "open", openedAtMs: open.openedAtMs, seenAtMs: this.#nowMs };
    return anIntent({ id: `intent-${this.#intents.length}`, side: of, createdAtMs: this.#nowMs, setFor });
  }

  async #put(intent: Intent): Promise<void> {
    this.#intents.push(intent);
    await this.#shelf.put(intent);
  }

  #look(): void {
    const position = this.#position;
    if (position?.openedAtMs == null) return;
    const { openedAtMs } = position;
    const found = this.#memory.recall(position).intent;
    if (found === null) return;
    this.inForce += 1;
    const intent = this.#intents.find(({ id }) => id === found.id);
    assert.equal(intent?.side, position.side);
    assert.isFalse(this.#over.has(found.id), `${found.id} is over`);
    const owner = this.#owner.get(found.id) ?? openedAtMs;
    this.#owner.set(found.id, owner);
    assert.equal(openedAtMs, owner, `${found.id} is in force for another life`);
    const setFor = intent?.setFor;
    if (setFor?.kind === "open") assert.equal(openedAtMs, setFor.openedAtMs, `${found.id} was set for another life`);
    assert.isAtMost(openedAtMs, (intent?.createdAtMs ?? 0) + (intent?.ttlMs ?? 0));
  }
}

test("an intent is never in force for a second life, nor after its end, nor where it had expired", async () => {
  let inForce = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60, size: "max" }), async (acts) => {
      const world = new World();
      await world.start();
      for (const one of acts) await world.act(one);
      inForce += world.inForce;
    }),
    { numRuns: 400 },
  );
  expect(inForce).toBeGreaterThan(100);
});
