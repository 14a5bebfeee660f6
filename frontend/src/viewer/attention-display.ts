/**
 * What the model looked at, given after the commit only:
 * attention and heat maps on every pane, and going from peak to peak.
 */

import { polite } from "../common/announce";
import type { HeatMaps } from "./attention/heat-map";
import { peaks } from "./attention/peaks";
import type { Weight } from "./types";
import type { Pane } from "./viewport/pane";

export interface AttentionDisplayHost {
  panes: () => readonly Pane[];
  goTo: (sop: string, frame: number) => void;
}

export class AttentionDisplay {
  private attention: readonly Weight[] | null = null;
  private heat: HeatMaps | null = null;
  private heatVisible = true;
  private peak = -1;

  constructor(private readonly host: AttentionDisplayHost) {}

  /** Null hides it. */
  setAttention(attention: readonly Weight[] | null): void {
    this.attention = attention;
    this.peak = -1;
    for (const pane of this.host.panes()) pane.setAttention(attention);
  }

  /** Heat maps are given with the attention; T hides and shows them. */
  setHeat(maps: HeatMaps | null): void {
    this.heat = maps;
    this.drawHeat();
  }

  toggleHeat(): void {
    if (!this.heat?.frames.length) return polite("There is no heat map for this study");
    this.heatVisible = !this.heatVisible;
    this.drawHeat();
    polite(this.heatVisible ? "Heat map shown on the frames that have one" : "Heat map hidden");
  }

  goToPeak(step: 1 | -1): void {
    const frames = this.attention ? peaks(this.attention) : [];
    if (!frames.length) return;
    this.peak = this.peak < 0 ? (step > 0 ? 0 : frames.length - 1) : (this.peak + step + frames.length) % frames.length;
    const entry = frames[this.peak];
    if (entry) this.host.goTo(entry.sop_uid, entry.frame);
  }

  /** Give a new pane what the others show. */
  showOn(pane: Pane): void {
    pane.setAttention(this.attention);
    pane.picture.setHeat(this.heatVisible ? this.heat : null);
  }

  private drawHeat(): void {
    for (const pane of this.host.panes()) pane.picture.setHeat(this.heatVisible ? this.heat : null);
  }
}
