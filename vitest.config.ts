/** How the tests run: in child processes, from TypeScript as it stands. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    environment: "node",
    setupFiles: ["test/setup/seed.ts"],
    pool: "forks",
    // The end-to-end tests start processes of their own: more files at once only make them wait for each other.
    maxWorkers: 2,
    // Generous: an end-to-end test starts several processes, and a slow machine is no failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubEnvs: true,
    coverage: { include: ["src/**/*.ts"], reportsDirectory: "coverage" },
  },
});
