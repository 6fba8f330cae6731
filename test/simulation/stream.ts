/** The private stream in process: logs in, subscribes and pushes; drops, falls silent, loses, doubles and delays. */
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  startWatch,
} from "../../src/exchange/bybit/index.js";
import type { Push } from "../../src/exchange/simulator/index.js";
import { spoilFor } from "./rows.js";
import { type Instance, type Run, strikes } from "./run-parts.js";

interface Open {
  readonly instance: Instance;
  readonly events: ConnectionEvents;
  phase: "connecting" | "logging-in" | "subscribing" | "live";
  isSilent: boolean;
  isOver: boolean;
  heard(): void;
  end(reason: string): void;
}

export interface Streams {
  readonly connectFor: (instance: Instance) => (options: ConnectionOptions, events: ConnectionEvents) => Connection;
  drop(): void;
  fallSilent(): void;
  /** A process that died does not hang up; its connections go with it. */
  forget(instance: Instance): void;
}

export function openStreams(run: Run): Streams {
  const open = new Set<Open>();
  run.venue.exchange.onPush((push) => {
    for (const one of open) if (one.phase === "live") send(run, one, push);
  });

  function connect(instance: Instance, options: ConnectionOptions, events: ConnectionEvents): Connection {
    const one: Open = {
      instance,
      events,
      phase: "connecting",
      isSilent: false,
      isOver: false,
      heard: () => watch.heard(),
      end: (reason) => {
        if (one.isOver) return;
        over();
        events.ended(reason);
      },
    };
    const watch = startWatch(
      options,
      () => one.phase,
      (reason) => one.end(reason),
    );
    function over(): void {
      one.isOver = true;
      watch.stop();
      open.delete(one);
    }
    open.add(one);
    begin(run, one, options);
    ping(run, one, options);
    return {
      discard: () => {
        over();
        return Promise.resolve();
      },
    };
  }

  return {
    connectFor: (instance) => (options, events) => connect(instance, options, events),
    drop: () => {
      for (const one of open) {
        run.time.after(1, one.instance, () => one.end("the connection was closed (1006)"));
      }
    },
    fallSilent: () => {
      for (const one of open) one.isSilent = true;
    },
    forget: (instance) => {
      for (const one of open) if (one.instance === instance) open.delete(one);
    },
  };
}

function begin(run: Run, one: Open, options: ConnectionOptions): void {
  const { time, story } = run;
  const step = (then: () => void): void =>
    void time.after(Math.max(1, story.latencyMs), one.instance, () => {
      if (one.isOver) return;
      if (run.isNetworkDown) return one.end("the connection failed: ENETUNREACH");
      then();
    });
  step(() => {
    one.phase = "logging-in";
    one.heard();
    const isUnsettled = strikes(run, "streamUnsettled");
    if (isUnsettled && run.dice.next() < 0.5) return one.end("the connection was closed (1006)");
    if (isUnsettled) {
      one.isSilent = true;
      return;
    }
    step(() => {
      const expiresMs = Date.now() + options.offsetMs() + 5_000;
      const isRefused =
        strikes(run, "streamAuthRefused") || run.keyTrouble !== null || expiresMs <= time.exchangeNowMs();
      if (isRefused) return one.end("the login was refused: Params Error");
      one.phase = "subscribing";
      one.heard();
      step(() => {
        one.phase = "live";
        one.heard();
        one.events.live();
      });
    });
  });
}

function ping(run: Run, one: Open, options: ConnectionOptions): void {
  run.time.after(options.timing.pingEveryMs, one.instance, () => {
    if (one.isOver) return;
    if (!one.isSilent && !run.isNetworkDown) one.heard();
    ping(run, one, options);
  });
}

function send(run: Run, one: Open, push: Push): void {
  if (one.isSilent || run.isNetworkDown || strikes(run, "pushLost")) return;
  const { time, story } = run;
  const waitMs = Math.max(0, push.atMs - time.exchangeNowMs()) + story.latencyMs / 2;
  const lateMs = strikes(run, "pushLate") ? run.dice.between(1, run.dice.next() < 0.2 ? 300_000 : 3_000) : 0;
  const frame = spoiled(run, {
    id: String(push.atMs),
    topic: push.topic,
    creationTime: Math.floor(time.exchangeNowMs()),
    data: [pushedRow(run, push)],
  });
  const times = strikes(run, "pushDoubled") ? 2 : 1;
  for (let copy = 0; copy < times; copy += 1) {
    time.after(waitMs + lateMs + copy, one.instance, () => {
      if (one.isOver || one.isSilent) return;
      one.heard();
      run.watcher.pushed(one.instance, String(push.row["symbol"]), push.row);
      one.events.frame(frame);
    });
  }
}

function pushedRow(run: Run, { topic, row }: Push): Record<string, unknown> {
  const copy = { ...row };
  if (topic === "position") spoilFor(run, copy);
  return copy;
}

interface Frame {
  readonly id: string;
  readonly topic: string;
  readonly creationTime: number;
  readonly data: readonly Record<string, unknown>[];
}

function spoiled(run: Run, frame: Frame): unknown {
  if (!strikes(run, "pushGarbage")) return frame;
  const [row = {}] = frame.data;
  const { size: _size, ...withoutSize } = row;
  return run.dice.pick<unknown>([
    "<html>",
    { ...frame, topic: "positions-v6" },
    { ...frame, data: [{ ...row, side: "Both", orderStatus: "Dreaming" }] },
    { ...frame, data: [withoutSize] },
    { hello: "world" },
  ]);
}
