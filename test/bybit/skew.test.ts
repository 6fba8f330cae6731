/** What answers tell of the exchange's clock, while ours steps, sleeps and drifts. */
import { describe, expect, test } from "vitest";
import { createSkewMeter } from "../../src/exchange/bybit/skew.js";

/** A host whose wall clock is an hour ahead, and an exchange that answers after `thereMs` + `backMs`. */
function host() {
  const state = { realMs: 0, wallMs: 3_600_000, sleptMs: 0 };
  const clock = { now: () => state.realMs + state.wallMs, monotonicMs: () => 5_000 + state.realMs - state.sleptMs };
  const meter = createSkewMeter(clock);
  return {
    meter,
    passes: (ms: number) => void (state.realMs += ms),
    steps: (ms: number) => void (state.wallMs += ms),
    sleeps: (ms: number) => {
      state.realMs += ms;
      state.sleptMs += ms;
    },
    exchangeMs: () => state.realMs,
    answers: (thereMs: number, backMs: number) => {
      const [sentAtMs, startedMs] = [clock.now(), clock.monotonicMs()];
      state.realMs += thereMs;
      const serverMs = state.realMs;
      state.realMs += backMs;
      const roundTripMs = clock.monotonicMs() - startedMs;
      meter.note({ sentAtMs, receivedAtMs: clock.now(), roundTripMs, serverMs });
    },
  };
}

describe("the exchange's time", () => {
  test("is not known before the first answer", () => {
    expect(host().meter.exchangeNowMs()).toBeNull();
    expect(host().meter.skewMs()).toBeNull();
  });

  test("goes on from an answer, and is ahead by no more than the way there", () => {
    const { meter, answers, passes, exchangeMs } = host();
    answers(40, 60);
    passes(30_000);
    expect(meter.exchangeNowMs()).toBe(exchangeMs() + 40);
    expect(meter.skewMs()).toBe(3_600_000 - 40 + 50);
  });

  test.each([1_001, -1_001])("is not known after a step of our wall clock by %i ms, until the next answer", (ms) => {
    const { meter, answers, steps, passes, exchangeMs } = host();
    answers(10, 10);
    steps(ms);
    passes(10);
    expect(meter.exchangeNowMs()).toBeNull();
    answers(200, 200);
    expect(meter.exchangeNowMs()).toBe(exchangeMs() + 200);
    expect(meter.skewMs()).toBe(3_600_000 + ms);
  });

  test("is known while our wall clock is only corrected", () => {
    const { meter, answers, steps, exchangeMs } = host();
    answers(10, 10);
    steps(1_000);
    expect(meter.exchangeNowMs()).toBe(exchangeMs() + 10);
  });

  test("is not known after a sleep of the machine, until the next answer", () => {
    const { meter, answers, sleeps, exchangeMs } = host();
    answers(10, 10);
    sleeps(300_000);
    expect(meter.exchangeNowMs()).toBeNull();
    answers(500, 0);
    expect(meter.exchangeNowMs()).toBe(exchangeMs() + 500);
  });
});

test("a slower answer tells less, for a minute", () => {
  const { meter, answers, passes, exchangeMs } = host();
  answers(10, 10);
  answers(400, 0);
  expect(meter.exchangeNowMs()).toBe(exchangeMs() + 10);
  passes(60_000);
  answers(400, 0);
  expect(meter.exchangeNowMs()).toBe(exchangeMs() + 400);
});
