/** The library's doorway: what other programs may import. */
export { type Simulator, type SimulatorOptions, startSimulator } from "./exchange/simulator/index.js";
export type { QuoteRequest } from "./http/desk.js";
export type { IntentPlace, IntentView } from "./intents/document.js";
export { LedgerError } from "./ledger/error.js";
export type { Intent, IntentAnswer, QuoteAnswer, QuoteFields, RefusalCode } from "./library/asking.js";
export type { LogSink, Options } from "./library/options.js";
export { audit, protect, type ProtectOptions } from "./library/passes.js";
export { quote, type QuoteOptions } from "./library/quote.js";
export { type RunningSidecar, type SidecarEvent, type SidecarOptions, startSidecar } from "./library/sidecar.js";
export {
  exitCode,
  type FailOn,
  FORMATS,
  type Format,
  type PositionStatus,
  type RenderOptions,
  type Report,
  type ReportAccount,
  type ReportCover,
  type ReportExit,
  type ReportFinding,
  type ReportGap,
  type ReportPosition,
  type ReportStep,
  type ReportSummary,
  render,
  type Severity,
} from "./report/index.js";
export type { LogLevel } from "./runtime/index.js";
export { StartRefused } from "./service/refused.js";
export { type Config, configJsonSchema, type Problem, SettingsError } from "./settings/index.js";
export { StuckError } from "./sidecar/sidecar.js";
