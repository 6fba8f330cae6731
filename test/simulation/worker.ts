/** A child process that runs seeds as it is told, one after the other, and answers with their outcomes. */
import { enter, install, leave, VirtualTime } from "./time.js";

install();
// Nobody reads where an error was made that a fault has caused; to find out costs much.
if (process.env["SIMULATION_STACKS"] === undefined) Error.stackTraceLimit = 0;
// Everything of the product is loaded inside virtual time: it counts from there.
enter(new VirtualTime(0));
const { runSeed } = await import("./run.js");
const { storyOf } = await import("./story.js");
const { PLANTS } = await import("./planted.js");
leave();

export interface Task {
  readonly seed: number;
  readonly hours: number;
  /** By name; null: the product as it is. */
  readonly plant: string | null;
  /** True: the whole story is told on stderr. */
  readonly isTold: boolean;
  /** In place of what the seed picks. */
  readonly over: object;
}

async function perform(task: Task): Promise<void> {
  const story = { ...storyOf(task.seed, task.hours), ...task.over };
  const plant = task.plant === null ? null : (PLANTS.find(({ name }) => name === task.plant) ?? null);
  const planted = plant?.story === undefined ? story : { ...story, ...plant.story(story) };
  const tell = task.isTold ? (line: string) => void process.stderr.write(`${line}\n`) : null;
  try {
    const outcome = await runSeed(planted, plant, tell);
    process.send?.({ task, story: planted, outcome });
  } catch (error) {
    process.send?.({ task, story: planted, crash: error instanceof Error ? error.stack : String(error) });
  }
}

process.on("message", (task: Task) => void perform(task));
process.on("unhandledRejection", (error) => {
  process.stderr.write(`unhandled: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
process.send?.({ isReady: true });
