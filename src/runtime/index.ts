/** The real process: its clock, its log, its secrets, its file modes, its inspector, its supervisor. */
// Not its metrics: loading them takes 0.1 s, which only the command that serves them should pay (./metrics.js).
export { type Clock, createWakefulClock, systemClock, type WakefulClock } from "./clock.js";
export { keepInspectorShut, openInspector } from "./inspector.js";
export { createLog, LOG_LEVELS, type Log, type LogLevel, type LogOptions } from "./log.js";
export { isLoopbackHost, isLoopbackUrl } from "./loopback.js";
export { maskSecrets } from "./mask.js";
export { systemRandom } from "./random.js";
export { readSecretFile, type SecretFile } from "./secret-file.js";
export {
  createSecretRegistry,
  registeredSecrets,
  registerSecret,
  type SecretRegistry,
  scrub,
  scrubSecrets,
  scrubValue,
} from "./secrets.js";
export { createNotifier, type Notifier, type NotifierOptions, type RunProgram } from "./systemd.js";
export { keepNewFilesPrivate } from "./umask.js";
export { leavingOut, unblock } from "./unread.js";
export { LATE, within } from "./within.js";
