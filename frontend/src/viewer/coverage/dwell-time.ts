/** How long each frame was looked at: counted while the view at work shows it and the page is in front. */

import type { Clip } from "../types";
import type { Coverage } from "./coverage";

export class DwellTime {
  private clip: Clip | null = null;
  private frame = 0;
  private since = 0;
  /** Whether somebody looked when the frame was shown. */
  private counts = false;

  constructor(
    private readonly coverage: Coverage,
    /** Whether the page is in front, and this view the one at work. */
    private readonly looking: () => boolean,
  ) {}

  /** This frame is on the screen now: count the time of the one before. True where it is seen for the first time. */
  show(clip: Clip | null, frame: number): boolean {
    const now = performance.now();
    if (this.clip && this.frame && this.counts) this.coverage.addTime(this.clip.sop_uid, this.frame, now - this.since);
    [this.clip, this.frame, this.since, this.counts] = [clip, frame, now, this.looking()];
    return clip !== null && this.counts && this.coverage.markShown(clip.sop_uid, frame);
  }

  /**
   * Add the time of the frame on the screen up to now; true where it is seen for the first time. Also called when the
   * page or the view comes to the front or leaves it: what nobody looks at does not count.
   */
  countTime(): boolean {
    return this.frame !== 0 && this.show(this.clip, this.frame);
  }

  /** No frame is on the screen from now on. */
  clear(): void {
    this.frame = 0;
  }
}
