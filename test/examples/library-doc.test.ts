/** The programs of docs/library.md, compiled and run as they stand there. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installInto, layOut, type Recipe, REPOSITORY } from "./stage.js";

const page = readFileSync(join(REPOSITORY, "docs/library.md"), "utf8");
const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);

const CONFIG = `accounts:
  - name: main
    environment: custom
    restUrl: \${BYBIT_REST_URL}
    wsUrl: \${BYBIT_WS_URL}
    key: \${BYBIT_API_KEY}
    secret: \${BYBIT_API_SECRET}
protection:
  stopLoss: { distance: 2% }
`;

async function compiled(): Promise<Recipe> {
  const recipe = await layOut("typescript-bot");
  await installInto(recipe.folder);
  await writeFile(join(recipe.folder, "backstop.yaml"), CONFIG);
  for (const [index, text] of programs.entries()) await writeFile(join(recipe.folder, `program-${index}.ts`), text);
  await writeFile(
    join(recipe.folder, "tsconfig.doc.json"),
    '{ "extends": "./tsconfig.json", "include": ["program-*.ts"] }',
  );
  const result = await recipe.run(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", "tsconfig.doc.json"]);
  expect(result).toEqual({ code: 0, stdout: "", stderr: "" });
  return recipe;
}

test("the programs compile, run and end by themselves", async () => {
  const recipe = await compiled();
  recipe.simulator.exchange.open({ symbol: "ETHUSDT", side: "short", size: "1" });
  expect(programs).toHaveLength(2);
  const pass = await recipe.run(process.execPath, ["dist/program-0.js"]);
  expect(pass).toMatchObject({ code: 0, stderr: "" });
  expect(pass.stdout).toMatch(/^ETHUSDT 1 to send\n.*protected/s);
  const sidecar = await recipe.run(process.execPath, ["dist/program-1.js"]);
  expect(sidecar.code).toBe(0);
  expect(sidecar.stdout).toMatch(/^send along: .*pending it is taken up.*protected: 1/s);
});
