/** The public face of the settings: load them, say where they come from, describe them. */
export { type LoadOptions, loadOutline, loadSettings, type Outline } from "./load.js";
export { didYouMean, type Problem, SettingsError, showValue } from "./problems.js";
export { type Reload, reloadSettings, type SettingsChange } from "./reload.js";
export { type Config, configJsonSchema } from "./schema.js";
export { type AccountSettings, passwordsIn, type Settings, secretsOf } from "./settings.js";
export { resolveConfigPath } from "./source.js";
export { initConfigText, STARTER_ACCOUNT } from "./starter.js";
