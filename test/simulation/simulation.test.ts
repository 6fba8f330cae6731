/** The simulation itself, as a user starts it: the same trace twice, and bugs that are caught. `npm test` runs its seeds afterwards. */
import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "../tidy/sources.js";

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function simulate(...options: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["scripts/simulate.mjs", ...options], { cwd: root });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const SECONDS = 1_000;

test(
  "a seed leaves the same trace when it is run again, and another seed another one",
  async () => {
    const { code, output } = await simulate("--seeds", "2", "--from", "400", "--hours", "0.25", "--twice", "--json");
    expect(output).not.toContain("two traces");
    expect(code).toBe(0);
    const { traces } = JSON.parse(output.split("\n").findLast((line) => line.startsWith("{")) ?? "{}") as {
      traces: string[];
    };
    expect(new Set(traces).size).toBe(2);
  },
  120 * SECONDS,
);

test.each([
  ["a stop is taken away before it is set anew", "S2"],
  ["the short legs of a hedge are dropped", "S4"],
])(
  "a bug that is planted is found: %s",
  async (name, check) => {
    const { code, output } = await simulate("--planted", "--only", name);
    expect(output).toContain(check);
    expect(code).toBe(0);
  },
  120 * SECONDS,
);
