/** A planted bug: whoever asks for the writer's lock gets it. */
import Libsql from "libsql";

const exec = Libsql.prototype.exec;
Libsql.prototype.exec = function (text) {
  return text.includes("begin exclusive") ? this : exec.call(this, text);
};
