/** Cine time: which frame is due after so many milliseconds. Late callers skip frames; the clip never runs slower. */

import type { Clip } from "../types";

export type Timing = Pick<Clip, "frames" | "frame_time_ms" | "fps" | "frame_times">;

/** Screens do not refresh faster than this, and files have been seen with frame times of zero. */
const SHORTEST_MS = 1;
const DEFAULT_FPS = 24;

function steadyDuration(timing: Timing): number {
  const fps = timing.fps > 0 ? timing.fps : DEFAULT_FPS;
  return Math.max(SHORTEST_MS, timing.frame_time_ms && timing.frame_time_ms > 0 ? timing.frame_time_ms : 1000 / fps);
}

/**
 * How long each frame stays, in ms. `frame_times` says when each begins (from a Frame Time Vector, 0018,1065); the last
 * frame has no successor and stays as long as the average.
 */
export function frameDurations(timing: Timing): number[] {
  const starts = timing.frame_times;
  const usable = starts !== null && timing.frames > 1 && starts.length === timing.frames && (starts.at(-1) ?? 0) > 0;
  if (!usable) return new Array<number>(timing.frames).fill(steadyDuration(timing));
  const steps = starts.slice(1).map((at, index) => Math.max(SHORTEST_MS, at - (starts[index] ?? 0)));
  const average = steps.reduce((sum, ms) => sum + ms, 0) / steps.length;
  return [...steps, average];
}

export class FrameClock {
  /** starts[i] is when frame i begins; the last entry is the length of the clip. */
  private readonly starts: number[];

  constructor(lengths: readonly number[]) {
    this.starts = [0];
    for (const ms of lengths) this.starts.push((this.starts.at(-1) ?? 0) + ms);
  }

  get total(): number {
    return this.starts.at(-1) ?? 0;
  }

  /** Index (from 0) of the frame that is due; the clip repeats. */
  frameAt(elapsed: number): number {
    if (this.starts.length < 2 || this.total <= 0) return 0;
    const at = ((elapsed % this.total) + this.total) % this.total;
    let low = 0;
    let high = this.starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  startOf(index: number): number {
    return this.starts[index] ?? 0;
  }

  /** How many times the clip has played to its end. */
  loops(elapsed: number): number {
    return this.total > 0 ? Math.floor(elapsed / this.total) : 0;
  }
}

/** Frames shown per second over the last second of play. */
export class RateMeter {
  private times: number[] = [];

  tick(now: number): void {
    this.times.push(now);
    while ((this.times[0] ?? now) < now - 1000) this.times.shift();
  }

  reset(): void {
    this.times = [];
  }

  /** Null until half a second has been seen. */
  get fps(): number | null {
    const first = this.times[0];
    const last = this.times.at(-1);
    if (first === undefined || last === undefined || last - first < 500) return null;
    return ((this.times.length - 1) * 1000) / (last - first);
  }
}
