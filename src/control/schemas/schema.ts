/**
 * Builders of JSON schemas (draft 2020-12, the one of OpenAPI 3.1) that are bound to a type: the compiler refuses a schema that says
 * anything else than the type that it stands beside. Plain data: what only wants the types loads nothing.
 */
export interface Schema<T> {
  readonly [keyword: string]: unknown;
  /** Never there: it ties the schema to exactly this type. */
  readonly "~describes"?: (value: T) => T;
}

/** A field that may be absent. */
export interface Optional<T> {
  readonly optional: Schema<T>;
}

/** A schema for each field of a type. */
export type FieldsOf<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Schema<T[K]>;
};

/** What an operation is asked with, and what it answers. */
export interface Shape {
  readonly arguments: unknown;
  readonly reply: unknown;
}

/** The two schemas of each operation of a protocol. */
export type SchemasOf<P> = {
  readonly [Name in keyof P]: P[Name] extends Shape
    ? {
        readonly arguments: Schema<P[Name]["arguments"]>;
        readonly reply: Schema<P[Name]["reply"]>;
      }
    : never;
};

export interface Range {
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The longest text that is taken: a path, which is longer than any name. */
const TEXT_LENGTH_MAX = 4096;

/** A text of at least one character. `maxLength` in characters. */
export function text(description: string, maxLength: number = TEXT_LENGTH_MAX): Schema<string> {
  return { type: "string", description, minLength: 1, maxLength };
}

/** Any text: of replies, which are not checked for their length. */
export function anyText(description: string): Schema<string> {
  return { type: "string", description };
}

export function flag(description: string): Schema<boolean> {
  return { type: "boolean", description };
}

/** A whole number from 0 on that a double holds exactly. */
export function natural(description: string, range: Range = {}): Schema<number> {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = range;
  return { type: "integer", description, minimum, maximum };
}

export function number(description: string, range: Range = {}): Schema<number> {
  return { type: "number", description, ...range };
}

export function choice<const T extends string>(
  description: string,
  values: readonly T[],
): Schema<T> {
  return { type: "string", description, enum: values };
}

export function list<T>(
  description: string,
  items: Schema<T>,
  limits: { readonly minItems?: number; readonly maxItems?: number } = {},
): Schema<readonly T[]> {
  return { type: "array", description, items, ...limits };
}

export function orNull<T>(schema: Schema<T>): Schema<T | null> {
  const { description, ...rest } = schema;
  return { description, anyOf: [rest, { type: "null" }] };
}

export function optional<T>(schema: Schema<T>): Optional<T> {
  return { optional: schema };
}

function isOptional(field: Schema<unknown> | Optional<unknown>): field is Optional<unknown> {
  return "optional" in field;
}

/** An object with these fields and no others. `title`: what a document calls it, where it has a name of its own. */
export function record<T extends object>(fields: FieldsOf<T>, title?: string): Schema<T> {
  const all = Object.entries(fields as Record<string, Schema<unknown> | Optional<unknown>>);
  return {
    type: "object",
    ...(title === undefined ? {} : { title }),
    properties: Object.fromEntries(
      all.map(([name, field]) => [name, isOptional(field) ? field.optional : field]),
    ),
    required: all.filter(([, field]) => !isOptional(field)).map(([name]) => name),
    additionalProperties: false,
  };
}

/** An object by names of its own, with values of one kind. */
export function dictionary<T>(
  description: string,
  values: Schema<T>,
): Schema<Readonly<Record<string, T>>> {
  return { type: "object", description, additionalProperties: values };
}

export type Nothing = Readonly<Record<string, never>>;

/** No arguments, and no reply. */
export const NOTHING: Schema<Nothing> = {
  type: "object",
  properties: {},
  required: [],
  additionalProperties: false,
};

/** A reply that is bytes and no JSON. */
export const BYTES: Schema<Uint8Array> = { type: "string", format: "binary" };
