/** Loads frames in this order: those on the screen, the rest of this study, the first ones of the next study. */

import { Prefetcher } from "../loading/prefetcher";
import { type Clip, playable, type Study } from "../types";
import type { Pane } from "../viewport/pane";
import type { ViewportModule } from "../viewport/viewer-services";
import { hangClips } from "./hanging-protocol";
import { loadViewports } from "./viewport-chunk";

/** Frames in flight: neighbours travel together, so these are few requests. */
const FRAMES_IN_FLIGHT = 32;

export interface StudyPrefetchHost {
  /** The visible panes, the active one first. */
  panes: () => readonly Pane[];
  /** How many panes show this study. */
  paneCount: () => number;
}

export class StudyPrefetch {
  readonly prefetcher: Prefetcher;
  private viewports: ViewportModule | null = null;
  private next: Study | null = null;
  private ready = false;

  constructor(
    private readonly clips: readonly Clip[],
    private readonly host: StudyPrefetchHost,
  ) {
    this.prefetcher = new Prefetcher((id) => loadViewports().then((viewports) => viewports.loadFrame(id)), {
      inFlight: FRAMES_IN_FLIGHT,
      hasRoom: () => this.ready && (this.viewports?.hasPrefetchRoom() ?? false),
    });
  }

  /** The chunk that draws pixels is loaded. */
  setViewports(viewports: ViewportModule): void {
    this.viewports = viewports;
  }

  /** The first pictures are loaded: from now on the other frames are loaded too. */
  start(): void {
    this.ready = true;
    this.load();
  }

  load(): void {
    const { viewports } = this;
    if (!viewports || !this.ready) return;
    this.prefetcher.focus(this.host.panes().flatMap((pane) => pane.imagesWanted()));
    // The first frame of every clip before the rest of any, so that going to another clip shows it at once.
    const clips = this.clips.filter(playable).map((clip) => viewports.imagesOf(clip));
    // Of the next study its first pictures before the rest of this one; more of it when this one is all here.
    const [first, more] = this.nextFrames(viewports);
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
    this.viewports?.dropPrefetched();
    this.next = next;
    this.load();
  }

  close(): void {
    this.prefetcher.close();
    this.viewports?.clearFrames();
  }

  private nextFrames(viewports: ViewportModule): [string[], string[]] {
    if (!this.next) return [[], []];
    const clips = this.next.clips.filter(playable).map((clip) => [clip, viewports.imagesOf(clip, true)] as const);
    const firstClips = hangClips(this.next.clips, this.host.paneCount());
    const first = clips.filter(([clip]) => firstClips.includes(clip)).map(([, images]) => images[0] ?? "");
    const more = [
      ...clips.map(([, images]) => images[0] ?? ""),
      ...clips.filter(([clip]) => firstClips.includes(clip)).flatMap(([, images]) => images),
    ];
    return [first, more];
  }
}
