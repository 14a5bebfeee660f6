/**
 * An earlier study of the infant beneath the one that is read: its own panes, its own film, marked as prior throughout.
 */

import { polite } from "../../common/announce";
import { api, reason } from "../../common/api";
import { fill, h } from "../../common/dom";
import { count, day } from "../../common/format";
import type { Drawing } from "../annotation/drawing";
import { Sketcher } from "../annotation/drawing-editor";
import { Coverage } from "../coverage/coverage";
import { type Clip, frameUrl, type Prior, playable, type Study } from "../types";
import type { Pane } from "../viewport/pane";
import { Film } from "./film-strip";
import { Grid } from "./grid";
import { fillIn, hang } from "./hanging-protocol";

export interface PriorNeeds {
  pane: (at: number, coverage: Coverage, sketch: Sketcher, origin: string) => Pane;
  /** Begin fetching these frames. */
  early: (urls: string[]) => void;
  /** Where it is asked what was drawn in the prior's read; null where nobody may know what others said. */
  drawings: ((prior: Prior) => string) | null;
}

/** What was drawn in the last committed read of an earlier study, or why that is not to be seen. */
export interface PriorDrawings {
  drawings: Drawing[];
  reader: string;
  committed_at: string | null;
  hidden: string;
}

/** More columns than two would leave nothing to see of either study. */
const COLUMNS = 2;

export function originOf(prior: Prior): string {
  return prior.days_before === null ? "Prior" : `Prior, ${count(prior.days_before, "day")} before`;
}

/** "Dr Imke Moreau, 13 Nov". */
export function signature({ reader, committed_at }: PriorDrawings): string {
  return [reader, day(committed_at)].filter(Boolean).join(", ");
}

/** "2 drawings: Dr Imke Moreau, 13 Nov"; empty where there is nothing to say. */
export function drawnText(found: PriorDrawings): string {
  if (found.hidden) return `What others drew: ${found.hidden.charAt(0).toLowerCase()}${found.hidden.slice(1)}`;
  return found.drawings.length ? `${count(found.drawings.length, "drawing")}: ${signature(found)}` : "";
}

export class PriorRow {
  readonly element = h("div", { class: "prior-row", hidden: true });
  readonly film = h("div", { class: "prior-film", hidden: true });
  said = "";
  grid!: Grid;
  private shown: Prior | null = null;
  private study: Study | null = null;
  private coverage = new Coverage([]);
  private strip: Film | null = null;
  private sketch = new Sketcher({ changed: () => undefined, redraw: () => this.redraw(), naming: () => undefined });
  private readonly drawn = h("p", { class: "small dim drawn", hidden: true });

  constructor(private readonly needs: PriorNeeds) {
    this.clear();
  }

  get panes(): readonly Pane[] {
    return this.shown ? this.grid.visible : [];
  }

  /** The clips that a pane goes through, null for a pane that is not of the prior. */
  clipsOf(pane: Pane): readonly Clip[] | null {
    return this.panes.includes(pane) ? (this.study?.clips ?? []) : null;
  }

  /** Show it, or take it away where it is shown already. */
  async toggle(prior: Prior, columns: number): Promise<boolean> {
    const same = this.shown?.study_uid === prior.study_uid;
    this.close();
    if (same) return false;
    this.element.hidden = false;
    this.said = originOf(prior);
    fill(this.element, h("p", { class: "small dim" }, "Loading the prior"));
    try {
      this.study = await api.get<Study>(`/api/v1/studies/${prior.study_uid}/`);
    } catch (error) {
      this.said = `The prior cannot be shown. ${reason(error)}`;
      fill(
        this.element,
        h(
          "p",
          { class: "small dim", role: "note" },
          this.said,
          " The study that you read is not affected. Press P to try again.",
        ),
      );
      return true;
    }
    if (!this.study.clips.some(playable)) {
      this.said = `${originOf(prior)}: it holds no pictures.`;
      fill(this.element, h("p", { class: "small dim", role: "note" }, this.said));
      return true;
    }
    this.open(prior, this.study, columns);
    return true;
  }

  /** As many columns as the study above has, two at most. */
  async arrange(columns: number): Promise<void> {
    if (!this.shown || !this.study) return;
    const { clips } = this.study;
    this.grid.arrange(1, Math.min(columns, COLUMNS));
    const hung = this.panes.map((pane) => pane.clip);
    const wanted = hung.some((clip) => clip) ? fillIn(clips, hung) : hang(clips, this.panes.length);
    this.needs.early(wanted.flatMap((clip, at) => (clip && !hung[at] && playable(clip) ? [frameUrl(clip, 1)] : [])));
    await Promise.all(this.panes.map((pane, at) => (hung[at] ? undefined : pane.show(wanted[at] ?? null))));
  }

  mark(): void {
    this.strip?.mark(this.panes.map((pane) => pane.clip?.sop_uid));
    for (const clip of this.study?.clips ?? []) this.strip?.setMarks(clip, this.marksOf(clip));
    for (const pane of this.panes) pane.setMarks(pane.clip ? this.marksOf(pane.clip) : []);
  }

  close(): void {
    for (const pane of this.grid.panes) pane.close();
    this.clear();
  }

  private open(prior: Prior, study: Study, columns: number): void {
    this.shown = prior;
    this.coverage = new Coverage(study.clips);
    this.strip = new Film(study.clips, this.coverage, (clip) => void this.choose(clip), originOf(prior));
    this.strip.loadThumbnails();
    fill(this.film, h("h2", { class: "h3" }, originOf(prior)), this.drawn, this.strip.element);
    fill(this.element, this.grid.element);
    this.film.hidden = false;
    void this.arrange(columns);
    void this.fetchDrawings(prior);
  }

  /** The pictures do not wait for them; a prior whose drawings cannot be had is shown without, and says so. */
  private async fetchDrawings(prior: Prior): Promise<void> {
    if (!this.needs.drawings) return;
    let text: string;
    try {
      const found = await api.get<PriorDrawings>(this.needs.drawings(prior));
      if (this.shown !== prior) return;
      text = drawnText(found);
      this.sketch.by = signature(found);
      this.sketch.set(found.drawings, false);
      this.mark();
    } catch (error) {
      text = `What was drawn in this study cannot be shown. ${reason(error)}`;
    }
    if (this.shown !== prior) return;
    this.drawn.textContent = text;
    this.drawn.hidden = !text;
    if (text) polite(text);
  }

  private redraw(): void {
    for (const pane of this.panes) pane.picture.easel.draw();
  }

  private marksOf({ sop_uid }: Clip): number[] {
    const frames = this.sketch.drawings.filter((each) => each.sop_uid === sop_uid).map(({ frame }) => frame);
    return [...new Set(frames)].sort((a, b) => a - b);
  }

  private choose(clip: Clip): void {
    const pane = this.panes.find((each) => each.section.classList.contains("on")) ?? this.panes[0];
    void pane?.show(clip);
  }

  private clear(): void {
    this.shown = null;
    this.study = null;
    this.strip = null;
    this.sketch.drawings = [];
    this.sketch.by = "";
    this.drawn.hidden = true;
    this.grid = new Grid(
      "prior",
      (at) => this.needs.pane(at, this.coverage, this.sketch, this.shown ? originOf(this.shown) : "Prior"),
      () => this.mark(),
      (sop, pane) => void pane.show(this.study?.clips.find((clip) => clip.sop_uid === sop) ?? pane.clip),
    );
    for (const element of [this.element, this.film]) {
      fill(element);
      element.hidden = true;
    }
  }
}
