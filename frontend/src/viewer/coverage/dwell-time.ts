/** How long each frame was looked at, counted while it is on the screen and the page is not hidden. */

import type { Clip } from "../types";
import type { Coverage } from "./coverage";

export class DwellTime {
  private clip: Clip | null = null;
  private frame = 0;
  private since = 0;
  /** Since then the page has been hidden. */
  private pageHidden = false;

  constructor(private readonly coverage: Coverage) {}

  /** This frame is on the screen now: count the time of the one before. True where it is seen for the first time. */
  show(clip: Clip | null, frame: number): boolean {
    const now = performance.now();
    if (this.clip && this.frame && !this.pageHidden)
      this.coverage.addTime(this.clip.sop_uid, this.frame, now - this.since);
    [this.clip, this.frame, this.since, this.pageHidden] = [clip, frame, now, document.hidden];
    return clip !== null && !this.pageHidden && this.coverage.markShown(clip.sop_uid, frame);
  }

  /**
   * Count what is on the screen just now. Called whenever the page is hidden or comes back, too:
   * the time between the two counts for nothing.
   */
  countTime(): void {
    if (this.frame) this.show(this.clip, this.frame);
  }

  /** No frame is on the screen any more. */
  clear(): void {
    this.frame = 0;
  }
}
