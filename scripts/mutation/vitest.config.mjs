/** How the tests run against mutants: one file, one thread, no waiting for a slow one. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["scripts/mutation/suite.test.mjs"],
    environment: "node",
    setupFiles: ["test/setup/seed.ts"],
    testTimeout: 20_000,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
