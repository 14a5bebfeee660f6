/**
 * Every clip that was not seen once, one after the other, in the view at work. It runs only where the reader asks,
 * and ends with whatever the reader does next: a key, a click, a measurement.
 */

import { polite } from "../../common/announce";
import { type Clip, playable } from "../types";
import type { Pane } from "../viewport/pane";

export interface ClipTourHost {
  pane: () => Pane;
  clips: readonly Clip[];
  unseen: () => readonly string[];
}

/** These keys stop the cine themselves. */
const PLAY_KEYS = " ";

export class ClipTour {
  private pane: Pane | null = null;
  private ahead: Clip[] = [];
  private readonly onInput = (event: Event) => this.end(event instanceof KeyboardEvent && event.key === PLAY_KEYS);

  constructor(private readonly host: ClipTourHost) {}

  get running(): boolean {
    return this.pane !== null;
  }

  start(): void {
    const unseen = new Set(this.host.unseen());
    this.ahead = this.host.clips.filter((clip) => playable(clip) && unseen.has(clip.sop_uid));
    if (!this.ahead.length) return polite("Every clip was seen");
    this.pane = this.host.pane();
    this.pane.touring = true;
    polite(`Plays ${this.ahead.length} clips, until any key`);
    for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, this.onInput, true);
    this.next(this.pane);
  }

  /** The clip of this view has played to its end. */
  clipLooped(pane: Pane): void {
    if (pane === this.pane) this.next(pane);
  }

  /** What is on the screen stays there, and stops. */
  end(playing = false): void {
    const { pane } = this;
    if (!pane) return;
    for (const name of ["keydown", "pointerdown"]) document.removeEventListener(name, this.onInput, true);
    this.pane = null;
    pane.touring = false;
    if (!playing) pane.pause();
  }

  private next(pane: Pane): void {
    const clip = this.ahead.shift();
    if (!clip) return this.end();
    void pane.show(clip).then(() => {
      if (this.pane === pane) pane.play();
    });
  }
}
