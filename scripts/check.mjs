/** Everything that can be judged without running: format, lint, types. Stops at the first failure. */
import { ensureInstalled, runTool, say } from "./prepare.mjs";

const STEPS = [
  { heading: "format", tool: "biome", args: ["format", "."], cure: "`npm run format` puts it right." },
  {
    heading: "lint",
    tool: "oxlint",
    args: ["--type-aware", "--deny-warnings", "src", "test", "scripts", "vitest.config.ts"],
    cure: "Each finding above names its rule and its place.",
  },
  { heading: "types", tool: "tsc", args: ["-p", "tsconfig.test.json"], cure: "Source and tests must type-check." },
];

ensureInstalled();
for (const step of STEPS) {
  say(`\n— ${step.heading} —`);
  const code = runTool(step.tool, step.args);
  if (code !== 0) {
    say(`\n✗ ${step.heading} failed. ${step.cure}`);
    process.exit(code);
  }
}
