/** Which frames were really on the screen, and for how long: the evidence behind a fast answer. */

import type { Clip } from "./types";

export interface Seen {
  sop_uid: string;
  /** Different frames that were shown. */
  frames: number;
  ms: number;
}

/** What a page keeps over a reload: ranges of frames, both ends in. */
export type Kept = Record<string, { ranges: [number, number][]; ms: number }>;

type Countable = Pick<Clip, "sop_uid" | "frames" | "decode_error">;

/** A pause longer than this is a reader who looked away or a sleeping tab, not viewing. */
const LONGEST_LOOK_MS = 60_000;

interface Mark {
  frames: Set<number>;
  ms: number;
}

function ranges(frames: Set<number>): [number, number][] {
  const found: [number, number][] = [];
  for (const frame of [...frames].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && last[1] === frame - 1) last[1] = frame;
    else found.push([frame, frame]);
  }
  return found;
}

export class Coverage {
  private readonly marks = new Map<string, Mark>();

  constructor(private readonly clips: readonly Countable[]) {
    for (const clip of clips) this.marks.set(clip.sop_uid, { frames: new Set(), ms: 0 });
  }

  /** The frame was shown. True if it is the first time. */
  see(sop: string, frame: number): boolean {
    const mark = this.marks.get(sop);
    if (!mark || mark.frames.has(frame)) return false;
    mark.frames.add(frame);
    return true;
  }

  look(sop: string, ms: number): void {
    const mark = this.marks.get(sop);
    if (mark && ms > 0) mark.ms += Math.min(ms, LONGEST_LOOK_MS);
  }

  /** 0 to 1. */
  fraction(sop: string): number {
    const clip = this.clips.find((candidate) => candidate.sop_uid === sop);
    const seen = this.marks.get(sop)?.frames.size ?? 0;
    return clip && clip.frames > 0 ? Math.min(1, seen / clip.frames) : 0;
  }

  /** Clips that can be shown and of which no frame was. */
  unopened(): string[] {
    const openable = this.clips.filter((clip) => clip.frames > 0 && clip.decode_error === "");
    return openable.map((clip) => clip.sop_uid).filter((sop) => this.fraction(sop) === 0);
  }

  report(): Seen[] {
    return this.clips.map(({ sop_uid }) => {
      const mark = this.marks.get(sop_uid);
      return { sop_uid, frames: mark?.frames.size ?? 0, ms: Math.round(mark?.ms ?? 0) };
    });
  }

  keep(): Kept {
    const kept: Kept = {};
    for (const [sop, mark] of this.marks) {
      if (mark.frames.size) kept[sop] = { ranges: ranges(mark.frames), ms: Math.round(mark.ms) };
    }
    return kept;
  }

  restore(kept: Kept): void {
    for (const [sop, { ranges: shown, ms }] of Object.entries(kept)) {
      const mark = this.marks.get(sop);
      if (!mark) continue;
      mark.ms += ms;
      for (const [first, last] of shown) for (let frame = first; frame <= last; frame++) mark.frames.add(frame);
    }
  }
}
