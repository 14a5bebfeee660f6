/**
 * A committed read that was opened again. It counts as it was committed until something changes: only the first draft
 * makes it a draft on the server, and left as it was it counts again.
 */

import { ApiError } from "../../common/api";
import { type Answer, sameAnswer } from "../answer/findings";
import type { DraftServer } from "./draft-sync";

export interface ReopeningHost {
  /** Make the committed read a draft. */
  reopen: () => Promise<unknown>;
  /** Let the draft, which says what was committed, count again. */
  restore: () => Promise<unknown>;
}

const now = () => new Date().toISOString();

function isNotOpen(error: unknown): boolean {
  return error instanceof ApiError && error.code === "not_open";
}

export class Reopening {
  private asked: Promise<unknown> | null = null;

  constructor(
    /** What was committed last. */
    readonly committed: Answer,
    /** Whether the server counts it now. */
    private counts: boolean,
    private readonly host: ReopeningHost,
  ) {}

  /** The server that makes the read a draft before it takes one. */
  before(server: DraftServer): DraftServer {
    return {
      ...server,
      save: async (place, body) => {
        // What says the same as the commit changes nothing.
        if (this.counts && sameAnswer(body, this.committed)) return { version: body.version, saved_at: now() };
        await this.reopenOnce();
        return server.save(place, body);
      },
      commit: (place, body) =>
        // This very commit may have arrived, and only its answer was lost: nothing is to be reopened then.
        server.commit(place, body).catch(async (error: unknown) => {
          if (!this.counts || !isNotOpen(error)) throw error;
          await this.reopenOnce();
          return server.commit(place, body);
        }),
    };
  }

  /** The reader leaves it with this answer; unchanged, it counts again. */
  async leave(answer: Answer): Promise<void> {
    if (this.counts || !sameAnswer(answer, this.committed)) return;
    this.counts = true;
    await this.host.restore().catch(() => undefined);
  }

  private async reopenOnce(): Promise<void> {
    if (!this.counts) return;
    this.asked ??= this.host.reopen();
    try {
      await this.asked;
      this.counts = false;
    } catch (error) {
      // Another tab has made it a draft: that is what was asked for.
      if (!isNotOpen(error)) throw error;
      this.counts = false;
    } finally {
      this.asked = null;
    }
  }
}
