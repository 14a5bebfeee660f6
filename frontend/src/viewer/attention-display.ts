/**
 * What the model looked at, given after the commit only:
 * attention and heat maps on every pane, and going from peak to peak.
 */

import { polite } from "../common/announce";
import type { HeatMaps } from "./attention/heat-map";
import { peaks } from "./attention/peaks";
import type { Weight } from "./types";
import type { Pane } from "./viewport/pane";

export interface Shown {
  panes: () => readonly Pane[];
  goTo: (sop: string, frame: number) => void;
}

export class Weights {
  private attention: readonly Weight[] | null = null;
  private heat: HeatMaps | null = null;
  private heatOn = true;
  private peak = -1;

  constructor(private readonly shown: Shown) {}

  /** Null hides it. */
  setAttention(attention: readonly Weight[] | null): void {
    this.attention = attention;
    this.peak = -1;
    for (const pane of this.shown.panes()) pane.setAttention(attention);
  }

  /** Heat maps are given with the attention; T hides and shows them. */
  setHeat(maps: HeatMaps | null): void {
    this.heat = maps;
    this.drawHeat();
  }

  toggleHeat(): void {
    if (!this.heat?.frames.length) return polite("There is no heat map for this study");
    this.heatOn = !this.heatOn;
    this.drawHeat();
    polite(this.heatOn ? "Heat map shown on the frames that have one" : "Heat map hidden");
  }

  toPeak(step: 1 | -1): void {
    const found = this.attention ? peaks(this.attention) : [];
    if (!found.length) return;
    this.peak = this.peak < 0 ? (step > 0 ? 0 : found.length - 1) : (this.peak + step + found.length) % found.length;
    const entry = found[this.peak];
    if (entry) this.shown.goTo(entry.sop_uid, entry.frame);
  }

  /** A pane that was made later shows what the others do. */
  dress(pane: Pane): void {
    pane.setAttention(this.attention);
    pane.picture.setHeat(this.heatOn ? this.heat : null);
  }

  private drawHeat(): void {
    for (const pane of this.shown.panes()) pane.picture.setHeat(this.heatOn ? this.heat : null);
  }
}
