/** OpenAPI 3.1, made of the operations that the routes themselves are held to. */
import * as z from "zod";
import { sendJson } from "./answers.js";
import { isGuarded } from "./bearer.js";
import { errorForm, namedForms, type Operation, type OperationAnswer } from "./operation.js";
import { type Route, route } from "./route.js";

/** Of the API; it changes when clients must. */
const VERSION = "1.0.0";
const JSON_TYPE = "application/json";

/** For the given routes and for itself. */
export function openapiRoute(others: readonly Operation[]): Route {
  const operation: Operation = {
    name: "getDescription",
    method: "GET",
    path: "/openapi.json",
    summary: "This description",
    answers: { 200: { what: "OpenAPI 3.1", form: z.looseObject({ openapi: z.string() }) } },
  };
  let document: object | null = null;
  return route(operation, (ask) => sendJson(ask, 200, (document ??= openapi([...others, operation]))));
}

function openapi(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: described(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "bybit-backstop",
      version: VERSION,
      description: "Exits at the exchange for every position. docs/http.md explains it with examples.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: schemasByName(),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "the content of the file that http.tokenFile names" },
      },
    },
  };
}

function described({ name, path, summary, detail, place, query, body, answers }: Operation): object {
  const parameters = [...parametersOf(place, "path"), ...parametersOf(query, "query")];
  const statuses = Object.entries(answers).map(([status, answer]) => [status, describedAnswer(answer)] as const);
  return {
    operationId: name,
    summary,
    ...(detail !== undefined && { description: detail }),
    security: isGuarded(path) ? [{ token: [] }] : [],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: { [JSON_TYPE]: { schema: schemaOf(body) } },
      },
    }),
    responses: {
      ...Object.fromEntries(statuses),
      ...(isGuarded(path) && { 401: describedAnswer({ what: "no token, or not this one", form: errorForm }) }),
      default: describedAnswer({ what: "refused, or a mistake of ours", form: errorForm }),
    },
  };
}

function describedAnswer({ what, form }: OperationAnswer): object {
  if (typeof form === "string") return { description: what, content: { [form]: { schema: { type: "string" } } } };
  return { description: what, content: { [JSON_TYPE]: { schema: schemaOf(form) } } };
}

function parametersOf(form: z.ZodType | undefined, where: "path" | "query"): readonly object[] {
  if (form === undefined) return [];
  const { properties = {}, required = [] } = plainSchema(form) as ObjectSchema;
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
  readonly required?: readonly string[];
}

function schemaOf(form: z.ZodType): object {
  const name = namedForms.get(form)?.id;
  return name === undefined ? plainSchema(form) : { $ref: refTo(name) };
}

const refTo = (name: string): string => `#/components/schemas/${name}`;

/** What is written, not what it is read as; and answers may grow fields that a client need not know. */
const AS_WRITTEN = { io: "input", target: "draft-2020-12" } as const;

function plainSchema(form: z.ZodType): Record<string, unknown> {
  return withoutNames(z.toJSONSchema(form, AS_WRITTEN));
}

function schemasByName(): object {
  const { schemas } = z.toJSONSchema(namedForms, { ...AS_WRITTEN, uri: refTo });
  const names = Object.keys(schemas).toSorted();
  return Object.fromEntries(names.map((name) => [name, withoutNames(schemas[name] ?? {})]));
}

/** The document says for all of them what they are, and its keys what they are called. */
function withoutNames(schema: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}
