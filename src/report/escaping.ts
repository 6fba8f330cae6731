/** How foreign text enters each output language without being able to speak it. */

// Control characters, and the marks that turn reading direction: they could rewrite what a terminal shows.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g;

// XML 1.0 knows no other control characters, not even escaped.
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

// Half a surrogate pair is no character; writing it out as UTF-8 would fail or change it silently.
const LONE_SURROGATE = /\p{Surrogate}/gu;

const wellFormed = (text: string): string => text.replace(LONE_SURROGATE, "\ufffd");

/** One line of printable text: control characters and line breaks become a space. */
export function oneLine(text: string): string {
  return wellFormed(text).replace(UNPRINTABLE, " ").trim();
}

// What JSON itself lets through unescaped of the above.
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** JSON with everything that a terminal might obey written as escapes: the same value. */
export function printableJson(json: string): string {
  return json.replace(
    UNPRINTABLE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text and quoted attribute values of XML and HTML alike. */
export function escapeXml(text: string): string {
  return wellFormed(text)
    .replace(NOT_XML, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;")
    .replace(/[\t\n\r\u0085\u2028]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** HTML has no use for line breaks in our texts, and must not carry control characters as references either. */
export function escapeHtml(text: string): string {
  return escapeXml(oneLine(text));
}

/** Inline GitHub-flavoured Markdown, also inside a table cell. */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_{}[\]#|~!]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}

/** The message of a GitHub workflow command. */
export function escapeCommand(text: string): string {
  return wellFormed(text).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

/** A property of a GitHub workflow command, which also ends at a colon or comma. */
export function escapeCommandProperty(text: string): string {
  return escapeCommand(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
