/** A strict reader of XML for tests: it accepts only what is well-formed, and returns the elements it met. */

export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly depth: number;
}

const TOKEN = /<\?[^?]*\?>|<\/([A-Za-z][\w:-]*)\s*>|<([A-Za-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|[^<]+/gy;
const ATTRIBUTE = /([\w:-]+)="([^"<]*)"/g;
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;
const LOOSE_AMPERSAND = /&(?!(amp|lt|gt|quot|#39|#\d+);)/;

/** @throws Error naming the place where the text is no well-formed XML. */
export function parseXml(xml: string): readonly Element[] {
  if (FORBIDDEN.test(xml)) throw new Error("a character that XML does not know");
  if (LOOSE_AMPERSAND.test(xml)) throw new Error("an ampersand that starts no entity");
  const open: string[] = [];
  const elements: Element[] = [];
  let position = 0;
  for (const match of xml.matchAll(TOKEN)) {
    if (match.index !== position) break;
    position += match[0].length;
    const [, closes, name, attributes = "", selfClosing] = match;
    if (closes !== undefined && open.pop() !== closes) throw new Error(`</${closes}> closes nothing that is open`);
    if (name === undefined) continue;
    elements.push({ name, attributes: attributesOf(attributes), depth: open.length });
    if (selfClosing !== "/") open.push(name);
  }
  if (position !== xml.length) throw new Error(`not well-formed at ${xml.slice(position, position + 40)}`);
  if (open.length > 0) throw new Error(`never closed: ${open.join(", ")}`);
  return elements;
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  const pairs = [...text.matchAll(ATTRIBUTE)].map(([, name = "", value = ""]) => [name, unescapeXml(value)] as const);
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) throw new Error("an attribute twice");
  return new Map(pairs);
}

export function unescapeXml(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, "&");
}
