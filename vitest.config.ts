/** How the tests run: in child processes, from TypeScript as it stands. */
import { defineConfig } from "vitest/config";

/** Their tests start processes or servers, or put something into the process itself: each file has a process of its own. */
const APART = ["bybit", "chaos", "contract", "e2e", "examples", "ledger", "library", "runtime", "simulation"];
const apart = ["test/*.test.ts", ...APART.map((room) => `test/${room}/**/*.test.ts`)];

export default defineConfig({
  test: {
    pool: "forks",
    // The end-to-end tests start processes of their own, and wait for them and for their exchange: one file more than cores.
    maxWorkers: 3,
    // What waits for processes, beside each other within a file.
    maxConcurrency: 3,
    projects: [
      { extends: true, test: { name: "apart", include: apart, globalSetup: ["test/setup/gathered.ts"] } },
      // The other rooms are loaded once for all their tests: loading them takes longer than the tests.
      { extends: true, test: { name: "rooms", include: ["test/**/*.test.ts"], exclude: apart, isolate: false } },
    ],
    environment: "node",
    setupFiles: ["test/setup/seed.ts"],
    // Generous: an end-to-end test starts several processes, and a slow machine is no failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubEnvs: true,
    coverage: { include: ["src/**/*.ts"], reportsDirectory: "coverage" },
  },
});
