/** Versions of the label schema and of what positive means, as the server answers them. */

import type { SchemaOverview, VersionCheck, VersionFacts, VersionRequest } from "../api/schema";
import type { SchemaDocument } from "../reading/answer/schema";

/** A version with its document as this page reads it. */
export type Version<Document> = Omit<VersionFacts, "document"> & { document: Document };

export interface DefinitionDocument {
  title: string;
  description?: string;
  any: unknown[];
}

export type { InForceChange as Choice } from "../api/schema";

export type Overview = Omit<SchemaOverview, "schemas" | "definitions"> & {
  schemas: Version<SchemaDocument>[];
  definitions: Version<DefinitionDocument>[];
};

export type Kind = NonNullable<VersionRequest["kind"]>;

export type Checked = Omit<VersionCheck, "document"> & { document: SchemaDocument | null };
