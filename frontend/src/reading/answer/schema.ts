/** The versions of the label schema that a page has loaded: the one in force, and those of older answers. */

import { api } from "../../common/api";
import { type Condition, holds } from "../conditions";

export interface Option {
  const: unknown;
  title: string;
  description?: string;
}

/** One field of the form. */
export interface Rule {
  title?: string;
  description?: string;
  type?: string | readonly string[];
  default?: unknown;
  oneOf?: readonly Option[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  "x-key"?: string;
  "x-when"?: Condition;
}

export interface SchemaDocument {
  title: string;
  description?: string;
  properties: Record<string, Rule>;
  "x-asks"?: readonly ({ ask: string } & Condition)[];
}

export interface SchemaVersion {
  name: string;
  document: SchemaDocument;
}

export type Kind = "flag" | "choice" | "number" | "text";
export type Field = [name: string, rule: Rule];

/** Fields that the form lays out by itself. */
const OWN_PLACE = new Set(["schema", "right", "left", "quality", "keyframes", "drawings"]);

export function kindOf({ oneOf, type }: Rule): Kind {
  if (oneOf) return "choice";
  if (type === "boolean") return "flag";
  return type === "string" ? "text" : "number";
}

export class LabelSchema {
  readonly title: string;
  /** The grades of a side, from none upwards. */
  readonly grades: readonly number[];

  constructor(
    readonly name: string,
    readonly document: SchemaDocument,
  ) {
    this.title = document.title;
    this.grades = (document.properties["right"]?.oneOf ?? [])
      .map((option) => option.const)
      .filter((grade) => typeof grade === "number");
  }

  get fields(): Field[] {
    return Object.entries(this.document.properties).filter(([name]) => !OWN_PLACE.has(name));
  }

  has(name: string): boolean {
    return name in this.document.properties;
  }

  rule(name: string): Rule {
    return this.document.properties[name] ?? {};
  }

  options(name: string): readonly Option[] {
    return this.rule(name).oneOf ?? [];
  }

  label(name: string): string {
    return this.rule(name).title ?? name.replaceAll("_", " ");
  }

  /** An answer in the words of this version. */
  word(name: string, value: unknown): string {
    const option = this.options(name).find((each) => each.const === value);
    if (option) return option.title;
    if (typeof value === "boolean") return value ? "yes" : "no";
    return value === null || value === undefined ? "not said" : String(value).replaceAll("_", " ");
  }

  empty(): Record<string, unknown> {
    const defaults = Object.entries(this.document.properties).map(([name, rule]) => [
      name,
      structuredClone(rule.default ?? null),
    ]);
    return { ...(Object.fromEntries(defaults) as Record<string, unknown>), schema: this.name };
  }

  shows(name: string, findings: Readonly<Record<string, unknown>>): boolean {
    const when = this.rule(name)["x-when"];
    return when === undefined || holds(when, findings);
  }

  fits(name: string, value: unknown): boolean {
    if (!this.has(name) || name === "schema") return false;
    const options = this.options(name);
    if (options.length) return options.some((option) => option.const === value);
    return this.rule(name).type !== "boolean" || typeof value === "boolean";
  }

  questions(findings: Readonly<Record<string, unknown>>): string[] {
    return (this.document["x-asks"] ?? []).filter((rule) => holds(rule, findings)).map((rule) => rule.ask);
  }
}

const schemas = new Map<string, LabelSchema>();
const UNKNOWN = new LabelSchema("", { title: "", properties: {} });

export function registerSchema({ name, document }: SchemaVersion): LabelSchema {
  const schema = schemas.get(name) ?? new LabelSchema(name, document);
  schemas.set(name, schema);
  return schema;
}

/** The version that an answer was made with; an empty schema where the page has not loaded it. */
export function schemaOf({ schema }: { schema?: unknown }): LabelSchema {
  return schemas.get(String(schema)) ?? UNKNOWN;
}

/** Fetch the versions of these answers, so that each can be shown in its own words. */
export async function loadSchemas(names: readonly (string | undefined)[]): Promise<void> {
  const missing = [...new Set(names)].filter((name): name is string => Boolean(name) && !schemas.has(name ?? ""));
  await Promise.all(
    missing.map((name) =>
      api.get<SchemaVersion>(`/api/v1/label-schemas/${name}/`).then(registerSchema, () => undefined),
    ),
  );
}
