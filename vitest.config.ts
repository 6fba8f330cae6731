/** How the tests run: in child processes, from TypeScript as it stands. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    environment: "node",
    pool: "forks",
    testTimeout: 15_000,
    hookTimeout: 15_000,
    restoreMocks: true,
    unstubEnvs: true,
    coverage: { include: ["src/**/*.ts"], reportsDirectory: "coverage" },
  },
});
