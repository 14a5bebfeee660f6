/** Loads frames ahead: what is on the screen first, then the rest of the study, a few at a time. */

export type Load = (id: string) => Promise<unknown>;

export interface Limits {
  /** Frames in flight. Neighbours of one clip travel in one request, so connections stay free for the reader's own. */
  inFlight: number;
  /** No more loading ahead while this is false; what is on the screen is loaded all the same. */
  hasRoom: () => boolean;
}

const RETRY_MS = 2000;

export class Prefetcher {
  private focused: string[] = [];
  private backlog: string[] = [];
  private readonly loading = new Set<string>();
  private readonly loaded = new Set<string>();
  private readonly failed = new Map<string, string>();
  private readonly watchers = new Set<(id: string) => void>();
  private closed = false;
  private pause: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly load: Load,
    private readonly limits: Limits,
  ) {}

  /** Load these first, in this order. */
  focus(ids: readonly string[]): void {
    this.focused = ids.filter((id) => !this.settled(id));
    this.fillSlots();
  }

  /** Load these when nothing is left to load first. */
  background(ids: readonly string[]): void {
    this.backlog = ids.filter((id) => !this.settled(id));
    this.fillSlots();
  }

  watch(watcher: (id: string) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Resolves when all of these are loaded or have failed; at the latest after `most` ms. */
  async whenSettled(ids: readonly string[], most: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        unwatch();
        clearTimeout(timeout);
        resolve();
      };
      const timeout = setTimeout(done, most);
      const check = () => ids.every((id) => this.settled(id)) && done();
      const unwatch = this.watch(check);
      check();
    });
  }

  has(id: string): boolean {
    return this.loaded.has(id);
  }

  reasonOf(id: string): string | null {
    return this.failed.get(id) ?? null;
  }

  settled(id: string): boolean {
    return this.loaded.has(id) || this.failed.has(id);
  }

  /** Forget the state of an image that left the cache or is to be tried again. */
  forget(id: string): void {
    this.loaded.delete(id);
    this.failed.delete(id);
  }

  close(): void {
    this.closed = true;
    if (this.pause !== null) clearTimeout(this.pause);
    this.watchers.clear();
  }

  private next(): string | null {
    for (const [queue, free] of [
      [this.focused, true],
      [this.backlog, this.limits.hasRoom()],
    ] as const) {
      while (free && queue.length) {
        const id = queue.shift();
        if (id !== undefined && !this.settled(id) && !this.loading.has(id)) return id;
      }
    }
    return null;
  }

  private fillSlots(): void {
    // Slots are refilled in groups, so that frames share requests.
    if (this.loading.size > this.limits.inFlight / 2) return;
    while (!this.closed && this.pause === null && this.loading.size < this.limits.inFlight) {
      const id = this.next();
      if (id === null) return;
      this.loading.add(id);
      void this.run(id);
    }
  }

  /** No answer, or no sign-in: everything waits a little and goes on where it was. */
  private retry(id: string): void {
    this.focused.unshift(id);
    this.pause ??= setTimeout(() => {
      this.pause = null;
      this.fillSlots();
    }, RETRY_MS);
  }

  private async run(id: string): Promise<void> {
    try {
      await this.load(id);
      this.loaded.add(id);
    } catch (error) {
      if ((error as { later?: boolean }).later) this.retry(id);
      else this.failed.set(id, error instanceof Error ? error.message : String(error));
    }
    this.loading.delete(id);
    if (this.closed) return;
    for (const watcher of this.watchers) watcher(id);
    this.fillSlots();
  }
}
