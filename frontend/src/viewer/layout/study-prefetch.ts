/** Frames before they are wanted: those on the screen, then the rest of this study, then the first ones of the next. */

import { Prefetcher } from "../loading/prefetcher";
import { type Clip, playable, type Study } from "../types";
import type { Pane } from "../viewport/pane";
import type { ViewportModule } from "../viewport/viewer-services";
import { hang } from "./hanging-protocol";
import { loadScreens } from "./viewport-chunk";

/** Frames in flight: neighbours travel together, so these are few requests. */
const AT_ONCE = 32;

export interface Hung {
  /** What hangs, the active pane first. */
  order: () => readonly Pane[];
  /** How many panes show this study. */
  places: () => number;
}

export class FramesAhead {
  readonly prefetcher: Prefetcher;
  private code: ViewportModule | null = null;
  private next: Study | null = null;
  private ready = false;

  constructor(
    private readonly clips: readonly Clip[],
    private readonly hung: Hung,
  ) {
    this.prefetcher = new Prefetcher((id) => loadScreens().then((code) => code.loadFrame(id)), {
      atOnce: AT_ONCE,
      room: () => this.ready && (this.code?.roomToLoadAhead() ?? false),
    });
  }

  /** The part that draws is here. */
  arrived(code: ViewportModule): void {
    this.code = code;
  }

  /** The first pictures are here: they had the line to themselves. */
  start(): void {
    this.ready = true;
    this.load();
  }

  load(): void {
    const { code } = this;
    if (!code || !this.ready) return;
    this.prefetcher.focus(this.hung.order().flatMap((pane) => pane.imagesWanted()));
    // The first frame of every clip before the rest of any, so that going to another clip shows it at once.
    const clips = this.clips.filter(playable).map((clip) => code.imagesOf(clip));
    // Of the next study its first pictures before the rest of this one; more of it when this one is all here.
    const [first, more] = this.nextFrames(code);
    this.prefetcher.background([
      ...clips.map((images) => images[0] ?? ""),
      ...first,
      ...clips.flatMap((images) => images.slice(1)),
      ...more,
    ]);
  }

  /** The study that is opened after this one: load its first pictures while this one is read. */
  loadNext(next: Study | null): void {
    if (next?.study_uid === this.next?.study_uid) return;
    this.code?.forgetAhead();
    this.next = next;
    this.load();
  }

  close(): void {
    this.prefetcher.close();
    this.code?.clearFrames();
  }

  private nextFrames(code: ViewportModule): [string[], string[]] {
    if (!this.next) return [[], []];
    const clips = this.next.clips.filter(playable).map((clip) => [clip, code.imagesOf(clip, true)] as const);
    const hung = hang(this.next.clips, this.hung.places());
    const first = clips.filter(([clip]) => hung.includes(clip)).map(([, images]) => images[0] ?? "");
    const more = [
      ...clips.map(([, images]) => images[0] ?? ""),
      ...clips.filter(([clip]) => hung.includes(clip)).flatMap(([, images]) => images),
    ];
    return [first, more];
  }
}
