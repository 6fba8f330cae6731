/** The library's doorway: what other programs may import. */
export { type Simulator, type SimulatorOptions, startSimulator } from "./exchange/simulator/index.js";
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
export { configJsonSchema } from "./settings/index.js";
