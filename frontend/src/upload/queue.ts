/** Cutting many files into requests, and reading the answers; pure, so that it can be tested without a server. */

import type { FileResult as Result } from "../api/schema";

export const MOST_FILES = 20;
export const MOST_BYTES = 64e6;

export interface Item {
  /** Path within the folder that was dropped, or the file's name. */
  path: string;
  file: File;
}

export type { FileResult as Result, Outcome } from "../api/schema";

const SYSTEM = new Set([".ds_store", "thumbs.db", "desktop.ini"]);

/** Files that operating systems leave in folders and nobody means to send. */
export function isSystemFile(path: string): boolean {
  const name = nameOf(path).toLowerCase();
  return SYSTEM.has(name) || name.startsWith("._");
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function isArchive({ path }: Item): boolean {
  return /\.zip$/i.test(path);
}

/** The next request from the front of the queue: bounded in files and bytes, but never empty; an archive goes alone. */
export function nextBatch(queue: readonly Item[], most = { files: MOST_FILES, bytes: MOST_BYTES }): Item[] {
  const batch: Item[] = [];
  let bytes = 0;
  for (const item of queue) {
    const full = batch.length >= most.files || bytes + item.file.size > most.bytes || isArchive(item);
    if (batch.length && full) break;
    batch.push(item);
    bytes += item.file.size;
    if (isArchive(item)) break;
  }
  return batch;
}

/** The share of each file that is sent, when this share of a request is: files follow each other in it. */
export function sharesSent(share: number, sizes: readonly number[]): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let sent = share * total;
  return sizes.map((size) => {
    const ofFile = Math.max(0, Math.min(size, sent));
    sent -= size;
    if (size === 0) return share >= 1 ? 1 : 0;
    return ofFile / size;
  });
}

/**
 * The answers that belong to each file. A server may have kept only the last part of a path, and an archive has one
 * answer per member, so: the same path, else the same name.
 */
export function resultsByItem(items: readonly Item[], results: readonly Result[]): Map<Item, Result[]> {
  const answers = new Map<Item, Result[]>(items.map((item) => [item, []]));
  for (const result of results) {
    const item = ownerOf(result, items, answers);
    if (item) answers.get(item)?.push(result);
  }
  return answers;
}

function ownerOf(result: Result, items: readonly Item[], answers: Map<Item, Result[]>): Item | undefined {
  const [only] = items;
  if (items.length === 1) return only;
  // Files picked from several folders may bear the same name: each answer goes to the next of them.
  const next = (candidates: Item[]) => candidates.find((item) => answers.get(item)?.length === 0) ?? candidates[0];
  return (
    next(items.filter((item) => item.path === result.path)) ??
    next(items.filter((item) => nameOf(item.path) === nameOf(result.path)))
  );
}

const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 15_000;

export function retryDelay(attempt: number): number {
  return Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** attempt);
}
