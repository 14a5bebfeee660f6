/** Which frames were really on the screen, and for how long: the evidence behind a fast answer. */

import type { Clip } from "../types";

export interface Seen {
  sop_uid: string;
  /** Different frames that were shown. */
  frames: number;
  ms: number;
  /** Milliseconds of each frame of the clip, null where it was never shown. */
  frame_ms?: (number | null)[];
}

/** What a page keeps over a reload: ranges of frames, both ends in, and how long each of them was looked at. */
export type Kept = Record<string, { ranges: [number, number][]; ms: number; each?: number[]; chosen?: boolean }>;

type Countable = Pick<Clip, "sop_uid" | "frames" | "decode_error">;

/** A pause longer than this is a reader who looked away or a sleeping tab, not viewing. */
const LONGEST_LOOK_MS = 60_000;
/** A clip of more frames than this is reported as a whole. */
const MOST_FRAMES = 5000;

/** Milliseconds by frame (from 1). */
type Mark = Map<number, number>;

function ordered(mark: Mark): number[] {
  return [...mark.keys()].sort((a, b) => a - b);
}

function ranges(mark: Mark): [number, number][] {
  const found: [number, number][] = [];
  for (const frame of ordered(mark)) {
    const last = found.at(-1);
    if (last && last[1] === frame - 1) last[1] = frame;
    else found.push([frame, frame]);
  }
  return found;
}

export class Coverage {
  private readonly marks = new Map<string, Mark>();
  /** Clips that were opened and of which a frame could not be shown. */
  private readonly tried = new Set<string>();
  /** Clips that their reader was at work on, not only beside. */
  private readonly chosen = new Set<string>();

  constructor(private readonly clips: readonly Countable[]) {
    for (const clip of clips) this.marks.set(clip.sop_uid, new Map());
  }

  /** The frame was shown. True if it is the first time. */
  see(sop: string, frame: number): boolean {
    const mark = this.marks.get(sop);
    if (!mark || mark.has(frame)) return false;
    mark.set(frame, 0);
    return true;
  }

  /** The clip was opened, and its reader told why there is no picture. True if it is the first time. */
  refuse(sop: string): boolean {
    const first = !this.tried.has(sop);
    this.tried.add(sop);
    return first;
  }

  /** The reader is at work on this clip. True if it is the first time. */
  choose(sop: string): boolean {
    const first = this.marks.has(sop) && !this.chosen.has(sop);
    if (first) this.chosen.add(sop);
    return first;
  }

  /** The frame was on the screen for so long. */
  look(sop: string, frame: number, ms: number): void {
    const mark = this.marks.get(sop);
    if (mark?.has(frame) && ms > 0) mark.set(frame, (mark.get(frame) ?? 0) + Math.min(ms, LONGEST_LOOK_MS));
  }

  /** 0 to 1. */
  fraction(sop: string): number {
    const frames = this.framesOf(sop);
    return frames > 0 ? Math.min(1, (this.marks.get(sop)?.size ?? 0) / frames) : 0;
  }

  ms(sop: string): number {
    let sum = 0;
    for (const ms of this.marks.get(sop)?.values() ?? []) sum += ms;
    return Math.round(sum);
  }

  /** Of each frame of the clip; null where it was never shown. */
  frameMs(sop: string): (number | null)[] {
    const mark = this.marks.get(sop);
    return Array.from({ length: this.framesOf(sop) }, (_, index) => {
      const ms = mark?.get(index + 1);
      return ms === undefined ? null : Math.round(ms);
    });
  }

  /**
   * Clips that were not looked at: no frame was shown, or of several one alone, beside a clip that was at work. One
   * damaged frame does not excuse from the others: only a reader who was told does not have to look.
   */
  unopened(): string[] {
    return this.clips
      .filter(({ sop_uid, frames }) => frames > 0 && !this.tried.has(sop_uid) && !this.opened(sop_uid, frames))
      .map(({ sop_uid }) => sop_uid);
  }

  private opened(sop: string, frames: number): boolean {
    const shown = this.marks.get(sop)?.size ?? 0;
    return shown >= Math.min(frames, 2) || (shown > 0 && this.chosen.has(sop));
  }

  report(): Seen[] {
    return this.clips.map(({ sop_uid, frames }) => {
      const shown = this.marks.get(sop_uid)?.size ?? 0;
      const each = shown && frames <= MOST_FRAMES ? { frame_ms: this.frameMs(sop_uid) } : {};
      return { sop_uid, frames: shown, ms: this.ms(sop_uid), ...each };
    });
  }

  keep(): Kept {
    const kept: Kept = {};
    for (const [sop, mark] of this.marks) {
      if (mark.size)
        kept[sop] = {
          ranges: ranges(mark),
          ms: this.ms(sop),
          each: ordered(mark).map((frame) => Math.round(mark.get(frame) ?? 0)),
          ...(this.chosen.has(sop) ? { chosen: true } : {}),
        };
    }
    return kept;
  }

  /**
   * What was kept may be of this very page: each frame counts the longer of both, so that reopening doubles nothing.
   */
  restore(kept: Kept): void {
    for (const [sop, { ranges: shown, each = [], chosen }] of Object.entries(kept)) {
      const mark = this.marks.get(sop);
      if (!mark) continue;
      if (chosen) this.chosen.add(sop);
      let at = 0;
      for (const [first, last] of shown)
        for (let frame = first; frame <= last; frame++)
          mark.set(frame, Math.max(mark.get(frame) ?? 0, each[at++] ?? 0));
    }
  }

  private framesOf(sop: string): number {
    return this.clips.find((candidate) => candidate.sop_uid === sop)?.frames ?? 0;
  }
}
