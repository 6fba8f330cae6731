/** Options that stand before the command, as other tools take them: they mean the same as behind it. */

const COMMON = ["--config", "--account", "--log-level"];

/** `--config c.yaml audit` → `audit --config c.yaml`; where both are given, the one behind the command counts. */
export function behindCommand(args: readonly string[]): readonly string[] {
  const begin = leadingCount(args);
  const rest = args.slice(begin);
  const words = rest.findIndex((arg) => arg.startsWith("-"));
  const command = words === -1 ? rest : rest.slice(0, words);
  if (command.length === 0) return args;
  return [...command, ...args.slice(0, begin), ...rest.slice(command.length)];
}

function leadingCount(args: readonly string[]): number {
  let count = 0;
  for (;;) {
    const [name = "", ...value] = (args[count] ?? "").split("=");
    if (!COMMON.includes(name)) return count;
    count += value.length > 0 ? 1 : 2;
  }
}
