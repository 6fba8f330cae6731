/** Tells everything that happens to whoever listens, and lets go of who cannot keep up. */
import { scrub } from "../runtime/index.js";
import type { Desk, DeskEvent } from "./desk.js";
import type { Timing } from "./timing.js";

export interface Feed {
  /** Null: there are too many already. `cut` ends the connection at once. */
  open(cut: () => void): ReadableStream<Uint8Array> | null;
  /** Ends all that are open, each after what it was told already. */
  close(): void;
}

interface Reader {
  send(text: string): void;
  end(): void;
}

const MOST_READERS = 32;
/** Some hundred events; also a burst of one moment must fit. */
const MOST_WAITING_BYTES = 262_144;
/** Proxies and clients take a connection for dead that is silent for a minute or less. */
const HEARTBEAT_MS = 15_000;
const HELLO = "retry: 3000\n: listening\n\n";
const HEARTBEAT = ": heartbeat\n\n";

/** Event ids count from 1 since the start, for all readers alike: a gap in them is what was missed. */
export function createFeed(desk: Desk, timing: Timing): Feed {
  const readers = new Set<Reader>();
  let isClosed = false;
  let lastId = 0;
  const unlisten = desk.listen((event) => {
    lastId += 1;
    if (readers.size === 0) return;
    const text = eventText(event, lastId);
    for (const reader of readers) reader.send(text);
  });
  return {
    open: (cut) => (isClosed || readers.size >= MOST_READERS ? null : openReader(readers, timing, cut)),
    close: () => {
      isClosed = true;
      unlisten();
      for (const reader of readers) reader.end();
    },
  };
}

function openReader(readers: Set<Reader>, timing: Timing, cut: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let forget = (): void => undefined;
  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const reader: Reader = {
      send: (text) => {
        if ((controller.desiredSize ?? 0) > 0) return controller.enqueue(encoder.encode(text));
        forget();
        cut();
      },
      end: () => {
        forget();
        controller.close();
      },
    };
    const stopBeating = timing.every(HEARTBEAT_MS, () => reader.send(HEARTBEAT));
    forget = () => {
      readers.delete(reader);
      stopBeating();
    };
    readers.add(reader);
    reader.send(HELLO);
  };
  const room = { highWaterMark: MOST_WAITING_BYTES, size: (chunk: Uint8Array) => chunk.length };
  return new ReadableStream({ start, cancel: () => forget() }, room);
}

/** The kind is one of ours, and JSON has no line breaks: nothing in it can end the event early. */
function eventText({ kind, data }: DeskEvent, id: number): string {
  return `id: ${id}\nevent: ${kind}\ndata: ${scrub(JSON.stringify(data))}\n\n`;
}
