/** The versions that come with the server, as pages meet them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { registerSchema, type SchemaDocument } from "../../src/reading/answer/schema";

function shipped(name: string) {
  return registerSchema({
    name,
    document: JSON.parse(
      readFileSync(join(import.meta.dirname, `../../../annotations/label_schema/shipped/${name}.json`), "utf8"),
    ) as SchemaDocument,
  });
}

export const PAPILE = shipped("papile-2");
export const VOLPE = shipped("volpe-1");
export const FIRST = shipped("papile-1");
