/** Where in the text each key of the config stands, and what stands there; an alias (*name) is as good as its value. */
import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import { type KeyPath, pathText, showValue } from "./problems.js";
import type { Source } from "./source.js";

/** Makes the problems of one file. */
export function problemsOf(document: Document.Parsed, lines: LineCounter, file: string): Source["problem"] {
  return (path, what, allowed, more = {}) => {
    const node = more.at === "key" ? keyNode(document, path) : nearestNode(document, path);
    const place = node?.range ? lines.linePos(node.range[0]) : null;
    const found = path.length === 0 ? undefined : nodeAt(document, path);
    return {
      file,
      line: place?.line ?? null,
      column: place?.col ?? null,
      key: pathText(path),
      value: found === undefined ? null : shown(path, found, document),
      what,
      allowed,
      suggestion: more.suggestion ?? null,
    };
  };
}

/** What an alias borrows from elsewhere may be a secret there, as the URL of a heartbeat is. */
function shown(path: KeyPath, found: Node | null, document: Document): string {
  const value = plain(behindAlias(document, found));
  return isAlias(found) && String(value).includes("://") ? `*${found.source}` : showValue(path, value);
}

/** As it is written there, which may be an alias; null: the key is there and has no value; undefined: no such key. */
function nodeAt(document: Document, path: KeyPath): Node | null | undefined {
  return path.reduce<Node | null | undefined>(
    (holder, part) => childOf(behindAlias(document, holder), part),
    document.contents,
  );
}

function childOf(holder: Node | null | undefined, part: string | number): Node | null | undefined {
  if (!isMap(holder) && !isSeq(holder)) return undefined;
  if (!holder.has(part)) return undefined;
  const child: unknown = holder.get(part, true);
  return isNode(child) ? child : null;
}

function behindAlias(document: Document, node: Node | null | undefined): Node | null | undefined {
  return isAlias(node) ? node.resolve(document) : node;
}

function plain(node: Node | null | undefined): unknown {
  if (isScalar(node)) return node.value;
  return isMap(node) ? {} : isSeq(node) ? [] : null;
}

/** The value itself, or, where it is missing, the closest thing around it that exists. */
function nearestNode(document: Document, path: KeyPath): Node | null {
  for (let length = path.length; length >= 0; length -= 1) {
    const found = nodeAt(document, path.slice(0, length));
    if (isNode(found)) return found;
  }
  return null;
}

function keyNode(document: Document, path: KeyPath): Node | null {
  const parent = behindAlias(document, nodeAt(document, path.slice(0, -1)));
  if (!isMap(parent)) return null;
  const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === path.at(-1));
  return pair !== undefined && isNode(pair.key) ? pair.key : null;
}
