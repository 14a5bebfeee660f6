/** Which frames were really on the screen, and for how long: the evidence that a quick read has viewed the study. */

import type { Clip } from "../types";

export interface ClipCoverage {
  sop_uid: string;
  /** Different frames that were shown. */
  frames: number;
  ms: number;
  /** Milliseconds of each frame of the clip, null where it was never shown. */
  frame_ms?: (number | null)[];
}

/** What a page keeps over a reload: ranges of frames, both ends in, and how long each of them was looked at. */
export type StoredCoverage = Record<string, { ranges: [number, number][]; ms: number; each?: number[] }>;

type Countable = Pick<Clip, "sop_uid" | "frames" | "decode_error">;

/** A pause longer than this is a reader who looked away or a sleeping tab, not viewing. */
const LONGEST_LOOK_MS = 60_000;
/** A clip of more frames than this is reported as a whole. */
const MOST_FRAMES = 5000;

/** A clip counts as seen from this share of its frames on: playing through once may drop a few on a slow machine. */
export const LEAST_SHARE = 0.8;

/** Milliseconds by frame (from 1). */
type FrameTimes = Map<number, number>;

function framesOf(mark: FrameTimes): number[] {
  return [...mark.keys()].sort((a, b) => a - b);
}

function rangesOf(mark: FrameTimes): [number, number][] {
  const ranges: [number, number][] = [];
  for (const frame of framesOf(mark)) {
    const last = ranges.at(-1);
    if (last && last[1] === frame - 1) last[1] = frame;
    else ranges.push([frame, frame]);
  }
  return ranges;
}

export class Coverage {
  private readonly shownFrames = new Map<string, FrameTimes>();
  /** Clips that were opened and of which a frame could not be shown. */
  private readonly unshowable = new Set<string>();

  constructor(private readonly clips: readonly Countable[]) {
    for (const clip of clips) this.shownFrames.set(clip.sop_uid, new Map());
  }

  /** The frame was shown. True if it is the first time. */
  markShown(sop: string, frame: number): boolean {
    const mark = this.shownFrames.get(sop);
    if (!mark || mark.has(frame)) return false;
    mark.set(frame, 0);
    return true;
  }

  /** The clip was opened and cannot be shown. True if it is the first time. */
  markUnshowable(sop: string): boolean {
    const first = !this.unshowable.has(sop);
    this.unshowable.add(sop);
    return first;
  }

  /** Add the time that the frame was on the screen, in ms. */
  addTime(sop: string, frame: number, ms: number): void {
    const mark = this.shownFrames.get(sop);
    if (mark?.has(frame) && ms > 0) mark.set(frame, (mark.get(frame) ?? 0) + Math.min(ms, LONGEST_LOOK_MS));
  }

  /** 0 to 1. */
  fraction(sop: string): number {
    const frames = this.frameCount(sop);
    return frames > 0 ? Math.min(1, (this.shownFrames.get(sop)?.size ?? 0) / frames) : 0;
  }

  ms(sop: string): number {
    let sum = 0;
    for (const ms of this.shownFrames.get(sop)?.values() ?? []) sum += ms;
    return Math.round(sum);
  }

  /** Of each frame of the clip; null where it was never shown. */
  frameMs(sop: string): (number | null)[] {
    const mark = this.shownFrames.get(sop);
    return Array.from({ length: this.frameCount(sop) }, (_, index) => {
      const ms = mark?.get(index + 1);
      return ms === undefined ? null : Math.round(ms);
    });
  }

  /** Whether enough of the clip was seen to say that it was looked at. */
  seen(sop: string): boolean {
    return this.fraction(sop) >= LEAST_SHARE;
  }

  /** Clips that were not seen, or only in part. Clips that cannot be shown do not count. */
  unseen(): string[] {
    return this.clips
      .filter(({ sop_uid, frames }) => frames > 0 && !this.unshowable.has(sop_uid) && !this.seen(sop_uid))
      .map(({ sop_uid }) => sop_uid);
  }

  report(): ClipCoverage[] {
    return this.clips.map(({ sop_uid, frames }) => {
      const shown = this.shownFrames.get(sop_uid)?.size ?? 0;
      const each = shown && frames <= MOST_FRAMES ? { frame_ms: this.frameMs(sop_uid) } : {};
      return { sop_uid, frames: shown, ms: this.ms(sop_uid), ...each };
    });
  }

  toStored(): StoredCoverage {
    const stored: StoredCoverage = {};
    for (const [sop, mark] of this.shownFrames) {
      if (mark.size)
        stored[sop] = {
          ranges: rangesOf(mark),
          ms: this.ms(sop),
          each: framesOf(mark).map((frame) => Math.round(mark.get(frame) ?? 0)),
        };
    }
    return stored;
  }

  /**
   * Merge stored coverage. Each frame gets the longer time of both, so that restoring twice counts once.
   */
  restore(stored: StoredCoverage): void {
    for (const [sop, { ranges: shown, each = [] }] of Object.entries(stored)) {
      const mark = this.shownFrames.get(sop);
      if (!mark) continue;
      let at = 0;
      for (const [first, last] of shown)
        for (let frame = first; frame <= last; frame++)
          mark.set(frame, Math.max(mark.get(frame) ?? 0, each[at++] ?? 0));
    }
  }

  private frameCount(sop: string): number {
    return this.clips.find((candidate) => candidate.sop_uid === sop)?.frames ?? 0;
  }
}
