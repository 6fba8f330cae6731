/** A debugger is not let into a running process: it could read the key. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { PROGRAM } from "./cli.js";

test("SIGUSR1, by which node opens one, opens none and says so", async (context) => {
  const program = spawn(process.execPath, [PROGRAM, "simulator", "--port", "0"], {
    env: { PATH: process.env["PATH"] },
  });
  context.onTestFinished(() => void program.kill("SIGKILL"));
  await once(program.stdout, "data");
  program.kill("SIGUSR1");
  const [said] = (await once(program.stderr, "data")) as [Buffer];
  expect(said.toString()).toBe("backstop: SIGUSR1 opens no debugger here\n");
  program.kill("SIGTERM");
  expect(await once(program, "close")).toEqual([0, null]);
});
