/** How long each frame was looked at, counted while it is on the screen and the page is not hidden. */

import type { Clip } from "../types";
import type { Coverage } from "./coverage";

export class DwellTime {
  private clip: Clip | null = null;
  private frame = 0;
  private since = 0;
  /** The page was hidden when the frame was shown. */
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
   * Add the time of the frame on the screen up to now. Also called when the page is hidden or shown,
   * since hidden time does not count.
   */
  countTime(): void {
    if (this.frame) this.show(this.clip, this.frame);
  }

  /** No frame is on the screen from now on. */
  clear(): void {
    this.frame = 0;
  }
}
