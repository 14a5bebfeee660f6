/** How long each frame was looked at, counted while it is on the screen and the page is not hidden. */

import type { Clip } from "../types";
import type { Coverage } from "./coverage";

export class Dwell {
  private clip: Clip | null = null;
  private frame = 0;
  private since = 0;
  /** Since then the page has been hidden. */
  private away = false;

  constructor(private readonly coverage: Coverage) {}

  /** This frame is on the screen now: count the time of the one before. True where it is seen for the first time. */
  on(clip: Clip | null, frame: number): boolean {
    const now = performance.now();
    if (this.clip && this.frame && !this.away) this.coverage.look(this.clip.sop_uid, this.frame, now - this.since);
    [this.clip, this.frame, this.since, this.away] = [clip, frame, now, document.hidden];
    return clip !== null && !this.away && this.coverage.see(clip.sop_uid, frame);
  }

  /**
   * Count what is on the screen just now. Called whenever the page is hidden or comes back, too:
   * the time between the two counts for nothing.
   */
  settle(): void {
    if (this.frame) this.on(this.clip, this.frame);
  }

  /** No frame is on the screen any more. */
  off(): void {
    this.frame = 0;
  }
}
