/** Bugs that are planted on purpose, by wrapping what a guard is handed: each must be caught by a checker. */
import type { Shared } from "../../src/service/run/account.js";
import type { GuardParts } from "../../src/sidecar/parts.js";
import { MODE_PLANTS } from "./plants/modes.js";
import { READ_PLANTS } from "./plants/reads.js";
import { REST_PLANTS } from "./plants/rest.js";
import { WRITE_PLANTS } from "./plants/writes.js";
import type { Instance, Run } from "./run-parts.js";
import type { Story } from "./story.js";

export interface Plant {
  /** What is wrong, as one would say it. */
  readonly name: string;
  /** The invariants that it breaks: one of them must be found broken. */
  readonly breaks: readonly string[];
  /** What the bug needs to show itself. */
  readonly story?: (story: Story) => Partial<Story>;
  readonly guard?: (parts: GuardParts, run: Run, instance: Instance) => GuardParts;
  readonly shared?: (shared: Shared, run: Run, instance: Instance) => Shared;
  /** Around what the dead man's switch is told by. */
  readonly ping?: (ping: typeof fetch) => typeof fetch;
}

export const PLANTS: readonly Plant[] = [...WRITE_PLANTS, ...READ_PLANTS, ...MODE_PLANTS, ...REST_PLANTS];
