/** Takes in what a request carries, up to a limit. */
import type { MiddlewareHandler } from "hono";
import { type Ask, type Env, sendError } from "./answers.js";

const MOST_BODY_BYTES = 65_536;

/** Also where no route wants it: what was sent must be out of the way before the next request on the connection. */
export const readBody: MiddlewareHandler<Env> = async (ask, next) => {
  if (Number(ask.req.header("content-length") ?? 0) > MOST_BODY_BYTES) return tooLarge(ask);
  const body = await bytesOf(ask.req.raw.body);
  if (body === "too-large") return tooLarge(ask);
  if (body === "broken") return sendError(ask, 400, "bad-request", "the body ended too early");
  ask.set("body", body);
  return next();
};

function tooLarge(ask: Ask): Response {
  return sendError(ask, 413, "too-large", `a body may have ${MOST_BODY_BYTES} bytes at most`);
}

async function bytesOf(stream: ReadableStream<Uint8Array> | null): Promise<Buffer | "too-large" | "broken"> {
  if (stream === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks);
      bytes += value.length;
      // Not cancelled: that would cut the connection before the answer is out. The adapter clears away the rest.
      if (bytes > MOST_BODY_BYTES) return "too-large";
      chunks.push(value);
    }
  } catch {
    return "broken";
  }
}
