/** A planted bug: writes are acknowledged and never leave. */
import { onWrite } from "./wire.mjs";

onWrite(() => Promise.resolve({ retCode: 0, retMsg: "OK", result: {}, retExtInfo: {}, time: Date.now() }));
