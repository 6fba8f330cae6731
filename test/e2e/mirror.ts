/** A proxy before the simulated exchange: passes requests on and may answer otherwise than the exchange would. */
import { createServer, type IncomingHttpHeaders, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "vitest";

export interface Passing {
  readonly method: string;
  readonly path: string;
  /** As on the wire. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** Gets the request and the exchange's body; what it returns goes to the program instead. Null: nothing ever does. */
export type Rewrite = (passing: Passing, body: string) => { readonly status?: number; readonly body: string } | null;

export interface Mirror {
  readonly url: string;
  /** As they came, oldest first. */
  readonly seen: readonly Passing[];
}

export async function openMirror(context: TestContext, target: string, rewrite: Rewrite): Promise<Mirror> {
  const seen: Passing[] = [];
  const server = createServer((incoming, outgoing) => {
    const { url = "/", method = "GET", headers } = incoming;
    const [path = "/", query = ""] = url.split("?");
    const passing = { method, path, query, headers };
    seen.push(passing);
    const onward = forward(new URL(url, target), { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const told = rewrite(passing, Buffer.concat(chunks).toString("utf8"));
        if (told === null) return;
        const { status = answer.statusCode ?? 200, body } = told;
        outgoing.writeHead(status, { "content-type": answer.headers["content-type"] ?? "text/plain" });
        outgoing.end(body);
      });
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  context.onTestFinished(async () => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeAllConnections();
    await closed;
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}
