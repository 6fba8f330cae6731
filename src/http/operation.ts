/** What one operation of the API takes and answers: its route is held to it, and openapi.json is made of it. */
import * as z from "zod";

export interface Operation<
  Place extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  /** One word for programs that are generated from the description. */
  readonly name: string;
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** `/v1/intents/{account}`: each name in braces is a key of `place`. */
  readonly path: string;
  readonly summary: string;
  readonly detail?: string;
  /** A form of an object. Absent: the path names no place. */
  readonly place?: Place;
  /** A form of an object. Absent: what stands behind a question mark does not matter. */
  readonly query?: Query;
  /** A named form. Absent: what a request carries does not matter. */
  readonly body?: Body;
  /** By status; beside them any error may come in the common form. */
  readonly answers: Readonly<Record<number, OperationAnswer>>;
}

export interface OperationAnswer {
  readonly what: string;
  /** A named form, for JSON; else the type of the text. */
  readonly form: z.ZodType | string;
}

/** The forms that have a name in openapi.json. */
export const namedForms = z.registry<{ id: string }>();

export function named<T extends z.ZodType>(id: string, form: T): T {
  namedForms.add(form, { id });
  return form;
}

export const errorForm = named(
  "Error",
  z.object({
    error: z.object({
      code: z.string().describe("for programs"),
      message: z.string().describe("for people"),
    }),
  }),
);

export function failure(what: string): OperationAnswer {
  return { what, form: errorForm };
}

export const accountName = z.string({ error: "must be the name of an account" }).describe("as in the config");
export const category = z.enum(["linear", "inverse"], { error: "must be linear or inverse" });
export { contractSymbol as symbol } from "../intents/document.js";
export const side = z.enum(["long", "short"], { error: "must be long or short" });
export const positionIdx = z
  .literal([0, 1, 2], { error: "must be 0 (one-way), 1 (long leg) or 2 (short leg)" })
  .describe("0 one-way, 1 the long leg and 2 the short leg of hedge mode");
