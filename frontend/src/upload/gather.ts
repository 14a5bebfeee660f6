/** Files from a drop, a folder or a picker, each with its path. */

import type { Item } from "./queue";

function readBatch(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

/** A directory reader hands out its entries in parts, until an empty one. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (let part = await readBatch(reader); part.length; part = await readBatch(reader)) entries.push(...part);
  return entries;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function* walk(entry: FileSystemEntry): AsyncGenerator<Item> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) yield { path, file: await fileOf(entry as FileSystemFileEntry) };
  else for (const child of await children(entry as FileSystemDirectoryEntry)) yield* walk(child);
}

/** All files of a drop, folders included. */
export async function fromDrop(transfer: DataTransfer): Promise<Item[]> {
  // The list empties when the event is over, so that entries are taken out before the first wait.
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.() ?? null)
    .filter((entry) => entry !== null);
  if (!entries.length) return fromList(transfer.files);
  const items: Item[] = [];
  for (const entry of entries) for await (const item of walk(entry)) items.push(item);
  return items;
}

export function fromList(files: FileList | null): Item[] {
  return [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}
