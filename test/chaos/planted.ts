/** Bugs that are planted from outside, as modules loaded before the built program; each must be found by a checker. */

export interface Plant {
  readonly file: string;
  /** Any of these counts as found. */
  readonly breaks: readonly string[];
}

const plant = (name: string, ...breaks: readonly string[]): Plant => ({
  file: `test/chaos/plants/${name}.mjs`,
  breaks,
});

export const PLANTS: readonly Plant[] = [
  plant("strips-stops", "S2"),
  plant("loosens-stops", "S1"),
  plant("other-price", "S17"),
  plant("sends-nothing", "L1"),
  plant("keeps-writing", "L2"),
  plant("says-protected", "S11"),
  plant("tells-secret", "S16"),
  plant("forgets-entries", "LOST"),
  plant("ignores-lock", "S15"),
  plant("ends-by-itself", "F46"),
];
