/**
 * Sends the queue, one request at a time. Whatever fails stays in the queue or is listed
 * with its reason; none is dropped.
 */

import { ApiError } from "../common/api";
import {
  type Item,
  MOST_BYTES,
  MOST_FILES,
  nextBatch,
  type Result,
  resultsByItem,
  retryDelay,
  sharesSent,
} from "./queue";

export interface Entry {
  item: Item;
  state: "queued" | "sending" | "done" | "failed";
  /** Share sent, 0 to 1. */
  sent: number;
  results: Result[];
  reason: string;
}

export type Transport = (
  items: readonly Item[],
  progress: (share: number) => void,
  signal: AbortSignal,
) => Promise<Result[]>;

export interface Stop {
  kind: "disk_full" | "signed_out" | "offline" | "stopped";
  detail: string;
  retryInMs?: number;
}

const NO_ANSWER = "the server gave no answer for this file; send it again";

export class Sender {
  readonly entries: Entry[] = [];
  running = false;
  stop: Stop | null = null;
  private abort: AbortController | null = null;
  private attempt = 0;
  private most = { files: MOST_FILES, bytes: MOST_BYTES };
  private wake: (() => void) | null = null;

  constructor(
    private readonly transport: Transport,
    private readonly changed: () => void,
    private readonly sleep: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {}

  add(items: readonly Item[]): void {
    for (const item of items) this.entries.push({ item, state: "queued", sent: 0, results: [], reason: "" });
    this.changed();
    void this.run();
  }

  /** Begin again after a stop; files that failed for want of an answer are sent once more. */
  retry(): void {
    for (const entry of this.entries)
      if (entry.state === "failed") Object.assign(entry, { state: "queued", reason: "", sent: 0 });
    this.stop = null;
    this.attempt = 0;
    this.wake?.();
    void this.run();
  }

  halt(): void {
    this.stop = { kind: "stopped", detail: "Stopped. What is stored stays; the rest was not sent." };
    this.abort?.abort();
    this.wake?.();
    this.changed();
  }

  private queued(): Entry[] {
    return this.entries.filter((entry) => entry.state === "queued");
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.stop = null;
    while (!this.halted() && this.queued().length) await this.sendOne();
    this.running = false;
    this.changed();
  }

  private halted(): boolean {
    return this.stop !== null && this.stop.kind !== "offline";
  }

  private async sendOne(): Promise<void> {
    const queued = this.queued();
    const batch = new Set(
      nextBatch(
        queued.map((entry) => entry.item),
        this.most,
      ),
    );
    const entries = queued.filter((entry) => batch.has(entry.item));
    for (const entry of entries) entry.state = "sending";
    this.abort = new AbortController();
    try {
      const results = await this.transport([...batch], (share) => this.progressed(entries, share), this.abort.signal);
      this.answered(entries, results);
    } catch (error) {
      await this.failed(entries, error);
    }
    this.changed();
  }

  private progressed(entries: Entry[], share: number): void {
    const shares = sharesSent(
      share,
      entries.map((entry) => entry.item.file.size),
    );
    for (const [index, entry] of entries.entries()) entry.sent = shares[index] ?? 0;
    this.changed();
  }

  private answered(entries: Entry[], results: Result[]): void {
    this.attempt = 0;
    this.stop = null;
    const answers = resultsByItem(
      entries.map((entry) => entry.item),
      results,
    );
    for (const entry of entries) {
      const ownResults = answers.get(entry.item) ?? [];
      Object.assign(
        entry,
        ownResults.length ? { state: "done", sent: 1, results: ownResults } : { state: "failed", reason: NO_ANSWER },
      );
    }
  }

  private async failed(entries: Entry[], error: unknown): Promise<void> {
    for (const entry of entries) Object.assign(entry, { state: "queued", sent: 0 });
    if (this.stop?.kind === "stopped") return;
    if (!(error instanceof ApiError)) return this.giveUp(entries, String(error));
    if (error.status === 507) this.stop = { kind: "disk_full", detail: error.detail };
    else if (error.signedOut)
      this.stop = {
        kind: "signed_out",
        detail: "You are signed out. The files are still here and go on after you sign in.",
      };
    else if (error.status === 413) this.tooLarge(entries, error.detail);
    else if (error.transient) await this.wait(error.detail);
    else this.giveUp(entries, error.detail);
  }

  private tooLarge(entries: Entry[], detail: string): void {
    if (entries.length === 1) return this.giveUp(entries, detail || "larger than the server takes");
    this.most = { ...this.most, files: Math.max(1, Math.floor(entries.length / 2)) };
  }

  private giveUp(entries: Entry[], reason: string): void {
    for (const entry of entries) Object.assign(entry, { state: "failed", reason });
  }

  private async wait(detail: string): Promise<void> {
    const ms = retryDelay(this.attempt);
    this.attempt += 1;
    this.stop = { kind: "offline", detail, retryInMs: ms };
    this.changed();
    await Promise.race([this.sleep(ms), new Promise<void>((resolve) => (this.wake = resolve))]);
    this.wake = null;
  }

  /** Retry at once: the network is back. */
  retryNow(): void {
    this.wake?.();
  }
}
