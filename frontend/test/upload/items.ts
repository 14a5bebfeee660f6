/** Files and answers as tests make them up. */

import type { Item, Result } from "../../src/upload/queue";

export const item = (path: string, size = 10): Item => ({ path, file: { size, name: path } as File });
export const stored = (path: string): Result => ({ path, outcome: "stored", reason: "", study_uid: "1.2" });
export const many = (count: number): Item[] => Array.from({ length: count }, (_, index) => item(`f${index}`));
