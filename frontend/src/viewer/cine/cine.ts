/**
 * Playing one clip: its true time, at a speed, to and fro or round, over a range of its frames, alone or with others.
 */

import { FrameClock } from "./frame-clock";

export interface Playback {
  /** 1 is the time at which it was acquired. */
  speed: number;
  pingPong: boolean;
  /** First and last index (from 0) that play; null is the whole clip. */
  range: [number, number] | null;
}

export const AS_ACQUIRED: Playback = { speed: 1, pingPong: false, range: null };
/** How long a still is shown during automatic play. */
const STILL_MS = 1200;

/** Frame indices in the order in which they play, and how long each stays. */
export function sequence(
  lengths: readonly number[],
  { speed, pingPong, range }: Playback,
): { order: number[]; stays: number[] } {
  const last = lengths.length - 1;
  const [from, to] = range ?? [0, last];
  const first = Math.max(0, Math.min(from, to, last));
  const end = Math.min(last, Math.max(from, to));
  const order = Array.from({ length: Math.max(0, end - first + 1) }, (_, at) => first + at);
  // The ends are shown once on each pass, or the clip would seem to stop there.
  if (pingPong && order.length > 2) order.push(...order.slice(1, -1).reverse());
  return { order, stays: order.map((index) => (lengths[index] ?? 0) / speed) };
}

export interface CineHost {
  /** Whether the frame is loaded or has failed. */
  settled(index: number): boolean;
  /** Show the frame; false where it is not loaded. */
  show(index: number, now: number): boolean;
  current(): number;
  looped(): void;
  changed(): void;
}

/** Clips that start at the same moment and begin again together, when the longest of them has ended. */
export class CineGroup {
  private readonly waiting = new Set<Cine>();
  readonly total: number;

  constructor(readonly members: readonly Cine[]) {
    this.total = Math.max(...members.map((cine) => cine.total));
    for (const cine of members) this.waiting.add(cine);
  }

  memberReady(cine: Cine): void {
    this.waiting.delete(cine);
    if (this.waiting.size) return;
    const now = performance.now();
    for (const member of this.members) member.begin(now);
  }

  stop(): void {
    for (const member of this.members) member.pause();
  }
}

export class Cine {
  playing = false;
  /** Play is requested; frames are still loading. */
  waiting = false;
  playback: Playback = { ...AS_ACQUIRED };

  private lengths: readonly number[] = [];
  private order: number[] = [];
  private clock = new FrameClock([]);
  private startedAt = 0;
  private loops = 0;
  private animationFrame = 0;
  private group: CineGroup | null = null;

  constructor(private readonly host: CineHost) {}

  /** Load another clip, without a range. Ping-pong stays as the reader set it. */
  load(lengths: readonly number[], speed = this.playback.speed): void {
    this.lengths = lengths;
    this.set({ range: null, speed });
  }

  set(part: Partial<Playback>): void {
    this.playback = { ...this.playback, ...part };
    const { order, stays } = sequence(this.lengths, this.playback);
    this.order = order;
    this.clock = new FrameClock(stays);
    if (!this.playing) return;
    this.group = null;
    this.restart(performance.now());
  }

  get total(): number {
    return this.clock.total;
  }

  get active(): boolean {
    return this.playing || this.waiting;
  }

  play(group: CineGroup | null = null): void {
    this.group = group;
    this.waiting = true;
    this.progress();
  }

  /** Frames were loaded: begin when none of those that play is missing. */
  progress(): void {
    if (!this.waiting || !this.order.length || !this.order.every((index) => this.host.settled(index))) return;
    if (this.group) this.group.memberReady(this);
    else this.begin(performance.now());
  }

  begin(now: number): void {
    this.waiting = false;
    this.playing = true;
    this.loops = 0;
    if (this.group) this.startedAt = now;
    else this.restart(now);
    this.host.changed();
    this.animationFrame = requestAnimationFrame((at) => this.tick(at));
  }

  pause(): void {
    const { active, group } = this;
    this.playing = false;
    this.waiting = false;
    this.group = null;
    cancelAnimationFrame(this.animationFrame);
    if (!active) return;
    this.host.changed();
    group?.stop();
  }

  /** Go on from the frame on the screen. */
  private restart(now: number): void {
    this.loops = 0;
    this.startedAt = now - this.clock.startOf(Math.max(0, this.order.indexOf(this.host.current())));
  }

  private tick(now: number): void {
    if (!this.playing) return;
    const elapsed = Math.max(0, now - this.startedAt);
    if (this.order.length < 2) {
      if (elapsed > STILL_MS) return this.host.looped();
    } else this.advance(elapsed, now);
    if (this.playing) this.animationFrame = requestAnimationFrame((next) => this.tick(next));
  }

  private advance(elapsed: number, now: number): void {
    const due = this.order[this.orderIndexAt(elapsed)];
    if (due !== undefined && due !== this.host.current()) this.host.show(due, now);
    const loops = this.clock.loops(elapsed);
    if (loops <= this.loops || this.group) return;
    this.loops = loops;
    this.host.looped();
  }

  /** Index into the order after so many ms. In a group a shorter clip waits on its last frame for the longest. */
  private orderIndexAt(elapsed: number): number {
    if (!this.group) return this.clock.frameAt(elapsed);
    const own = elapsed % this.group.total;
    return own >= this.clock.total ? this.order.length - 1 : this.clock.frameAt(own);
  }
}
