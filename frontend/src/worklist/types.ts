/** The worklist as the server answers it. */

import type { WorklistCounts, WorklistRow } from "../api/schema";

export type { WorklistCounts as Counts, WorklistPage as Worklist, WorklistRow as Row } from "../api/schema";

export type Band = WorklistRow["band"];
export type Flag = WorklistRow["flag"];
/** What may be listed; each has its count but `all`, whose count is `waiting`. */
export type Filter = Exclude<keyof WorklistCounts, "waiting"> | "all";
