/**
 * An earlier study of the infant beneath the one that is read: its own panes, its own film, marked as prior throughout.
 */

import type { PriorDrawings as PriorDrawingsAnswer } from "../../api/schema";
import { polite } from "../../common/announce";
import { api, reason } from "../../common/api";
import { fill, h } from "../../common/dom";
import { count, day } from "../../common/format";
import type { Drawing } from "../annotation/drawing";
import { DrawingEditor } from "../annotation/drawing-editor";
import { Coverage } from "../coverage/coverage";
import { type Clip, frameUrl, type Prior, playable, type Study } from "../types";
import type { Pane } from "../viewport/pane";
import { FilmStrip } from "./film-strip";
import { Grid } from "./grid";
import { fillEmptyPanes, hangClips } from "./hanging-protocol";

export interface PriorRowHost {
  makePane: (at: number, coverage: Coverage, drawingEditor: DrawingEditor, origin: string) => Pane;
  /** Begin fetching these frames. */
  prefetch: (urls: string[]) => void;
  /** Where it is asked what was drawn in the prior's read; null where the reader may not know other reads. */
  drawingsUrl: ((prior: Prior) => string) | null;
}

/** What was drawn in the last committed read of an earlier study, or why that is not to be seen. */
export type PriorDrawings = Omit<PriorDrawingsAnswer, "drawings"> & { drawings: Drawing[] };

/** More columns than two would leave nothing to see of either study. */
const COLUMNS = 2;

export function priorName(prior: Prior): string {
  return prior.days_before === null ? "Prior" : `Prior, ${count(prior.days_before, "day")} before`;
}

/** "Dr Imke Moreau, 13 Nov". */
export function attributionOf({ reader, committed_at }: PriorDrawings): string {
  return [reader, day(committed_at)].filter(Boolean).join(", ");
}

/** "2 drawings: Dr Imke Moreau, 13 Nov"; empty where there is nothing to say. */
export function drawingsText(prior: PriorDrawings): string {
  if (prior.hidden) return `What others drew: ${prior.hidden.charAt(0).toLowerCase()}${prior.hidden.slice(1)}`;
  return prior.drawings.length ? `${count(prior.drawings.length, "drawing")}: ${attributionOf(prior)}` : "";
}

export class PriorRow {
  readonly element = h("div", { class: "prior-row", hidden: true });
  readonly film = h("div", { class: "prior-film", hidden: true });
  status = "";
  grid!: Grid;
  private shown: Prior | null = null;
  private study: Study | null = null;
  private coverage = new Coverage([]);
  private filmStrip: FilmStrip | null = null;
  private drawingEditor = new DrawingEditor({
    changed: () => undefined,
    redraw: () => this.redraw(),
    askText: () => undefined,
  });
  private readonly drawingsNote = h("p", { class: "small dim drawn", hidden: true });

  constructor(private readonly host: PriorRowHost) {
    this.clear();
  }

  get panes(): readonly Pane[] {
    return this.shown ? this.grid.visible : [];
  }

  /** The clips that a pane goes through, null for a pane that is not of the prior. */
  clipsOf(pane: Pane): readonly Clip[] | null {
    return this.panes.includes(pane) ? (this.study?.clips ?? []) : null;
  }

  /** Show the prior, or hide it where it is shown already; returns whether it is shown. */
  async toggle(prior: Prior, columns: number): Promise<boolean> {
    const same = this.shown?.study_uid === prior.study_uid;
    this.close();
    if (same) return false;
    this.element.hidden = false;
    this.status = priorName(prior);
    fill(this.element, h("p", { class: "small dim" }, "Loading the prior"));
    try {
      this.study = await api.get<Study>(`/api/v1/studies/${prior.study_uid}/`);
    } catch (error) {
      this.status = `The prior cannot be shown. ${reason(error)}`;
      fill(
        this.element,
        h(
          "p",
          { class: "small dim", role: "note" },
          this.status,
          " The study that you read is not affected. Press P to try again.",
        ),
      );
      return true;
    }
    if (!this.study.clips.some(playable)) {
      this.status = `${priorName(prior)}: it holds no pictures.`;
      fill(this.element, h("p", { class: "small dim", role: "note" }, this.status));
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
    const current = this.panes.map((pane) => pane.clip);
    const next = current.some((clip) => clip) ? fillEmptyPanes(clips, current) : hangClips(clips, this.panes.length);
    this.host.prefetch(next.flatMap((clip, at) => (clip && !current[at] && playable(clip) ? [frameUrl(clip, 1)] : [])));
    await Promise.all(this.panes.map((pane, at) => (current[at] ? undefined : pane.show(next[at] ?? null))));
  }

  mark(): void {
    this.filmStrip?.mark(this.panes.map((pane) => pane.clip?.sop_uid));
    for (const clip of this.study?.clips ?? []) this.filmStrip?.setMarks(clip, this.markedFrames(clip));
    for (const pane of this.panes) pane.setMarks(pane.clip ? this.markedFrames(pane.clip) : []);
  }

  close(): void {
    for (const pane of this.grid.panes) pane.close();
    this.clear();
  }

  private open(prior: Prior, study: Study, columns: number): void {
    this.shown = prior;
    this.coverage = new Coverage(study.clips);
    this.filmStrip = new FilmStrip(study.clips, this.coverage, (clip) => void this.choose(clip), priorName(prior));
    this.filmStrip.loadThumbnails();
    fill(this.film, h("h2", { class: "h3" }, priorName(prior)), this.drawingsNote, this.filmStrip.element);
    fill(this.element, this.grid.element);
    this.film.hidden = false;
    void this.arrange(columns);
    void this.fetchDrawings(prior);
  }

  /** Drawings arrive after the pictures; a failure is stated beside the film. */
  private async fetchDrawings(prior: Prior): Promise<void> {
    if (!this.host.drawingsUrl) return;
    let text: string;
    try {
      const answer = await api.get<PriorDrawings>(this.host.drawingsUrl(prior));
      if (this.shown !== prior) return;
      text = drawingsText(answer);
      this.drawingEditor.attribution = attributionOf(answer);
      this.drawingEditor.set(answer.drawings, false);
      this.mark();
    } catch (error) {
      text = `What was drawn in this study cannot be shown. ${reason(error)}`;
    }
    if (this.shown !== prior) return;
    this.drawingsNote.textContent = text;
    this.drawingsNote.hidden = !text;
    if (text) polite(text);
  }

  private redraw(): void {
    for (const pane of this.panes) pane.picture.overlay.draw();
  }

  private markedFrames({ sop_uid }: Clip): number[] {
    const frames = this.drawingEditor.drawings.filter((each) => each.sop_uid === sop_uid).map(({ frame }) => frame);
    return [...new Set(frames)].sort((a, b) => a - b);
  }

  private choose(clip: Clip): void {
    const pane = this.panes.find((each) => each.section.classList.contains("on")) ?? this.panes[0];
    void pane?.show(clip);
  }

  private clear(): void {
    this.shown = null;
    this.study = null;
    this.filmStrip = null;
    this.drawingEditor.drawings = [];
    this.drawingEditor.attribution = "";
    this.drawingsNote.hidden = true;
    this.grid = new Grid(
      "prior",
      (at) => this.host.makePane(at, this.coverage, this.drawingEditor, this.shown ? priorName(this.shown) : "Prior"),
      () => this.mark(),
      (sop, pane) => void pane.show(this.study?.clips.find((clip) => clip.sop_uid === sop) ?? pane.clip),
    );
    for (const element of [this.element, this.film]) {
      fill(element);
      element.hidden = true;
    }
  }
}
