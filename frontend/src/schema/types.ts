/** What the server says about versions. */

import type { SchemaDocument } from "../reading/answer/schema";

export interface Version<Document> {
  name: string;
  document: Document;
  made_at: string;
  made_by: string;
  reason: string;
  /** Committed revisions that were made with it. */
  reads: number;
}

export interface DefinitionDocument {
  title: string;
  description?: string;
  any: unknown[];
}

export interface Choice {
  schema: string;
  definition: string;
  since: string;
  by: string;
  reason: string;
}

export interface Overview {
  in_force: { schema: string; definition: string };
  schemas: Version<SchemaDocument>[];
  definitions: Version<DefinitionDocument>[];
  history: Choice[];
}

export type Kind = "schema" | "definition";

export interface Checked {
  messages: Record<string, string[]>;
  name: string;
  document: SchemaDocument | null;
}
