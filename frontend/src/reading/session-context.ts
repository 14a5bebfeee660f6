/**
 * What the parts of a session share: the open study, the elements on the page, and the phase of the read.
 */

import { api } from "../common/api";
import { fill, h } from "../common/dom";
import { type Binding, bind } from "../common/keys";
import type { Study } from "../viewer/types";
import type { Viewer } from "../viewer/viewer";
import type { AdjudicationPanel } from "./adjudication/panel";
import type { LabelSchema } from "./answer/schema";
import type { Place } from "./draft/draft-store";
import type { Mode } from "./form/form";
import { itemOf, type Previous, type Target } from "./read-target";
import { type QueueBar, RoomBar } from "./study-bar";
import type { OtherRead, Reads, Score } from "./types";

export type Phase = "reading" | "committing" | "done";

export interface SessionHost {
  main: HTMLElement;
  user: string;
  previous: Previous | null;
  /** Open another study; null leaves the queue or goes back to the list. */
  go: (target: Target | null, previous: Previous | null) => void;
}

export class SessionContext {
  readonly context: Place["context"];
  readonly mode: Mode;
  readonly api: string;
  readonly opened = performance.now();
  study!: Study;
  viewer!: Viewer;
  bar!: RoomBar | QueueBar;
  schema!: LabelSchema;
  score: Score | null = null;
  others: readonly OtherRead[] = [];
  adjudication: AdjudicationPanel | null = null;
  phase: Phase = "reading";
  closed = false;
  private panel: HTMLElement = h("div", { class: "panel" });
  private keys: (() => void)[] = [];

  constructor(
    readonly target: Target,
    readonly host: SessionHost,
  ) {
    this.context = target.context;
    this.mode = target.context === "triage" ? "room" : "queue";
    this.api = `/api/v1/studies/${target.study}/`;
  }

  get place(): Place {
    return { user: this.host.user, study: this.target.study, context: this.context, ...this.item };
  }

  /** The item of the queue, as a part of request bodies. */
  get item(): { item?: number } {
    return itemOf(this.target);
  }

  /** The item of the queue, as a part of an address. */
  get itemQuery(): string {
    return this.target.item === undefined ? "" : `&item=${this.target.item}`;
  }

  /** The bar of the reading room; null in a queue. */
  get roomBar(): RoomBar | null {
    return this.bar instanceof RoomBar ? this.bar : null;
  }

  /** Put the bar, the film, the stage and the panel on the page. */
  fillPage(): void {
    fill(this.host.main, this.bar.element, this.viewer.side, this.viewer.stage, this.panel);
  }

  showPanel(panel: HTMLElement): void {
    this.panel.replaceWith(panel);
    this.panel = panel;
    this.drawPhase();
  }

  drawPhase(): void {
    this.host.main.dataset["phase"] = this.phase;
  }

  /** Replace the keys of the session. */
  setKeys(keys: Binding[]): void {
    for (const undo of this.keys) undo();
    this.keys = keys.map(bind);
  }

  addKey(key: Binding): void {
    this.keys.push(bind(key));
  }

  fetchReads(): Promise<Reads> {
    return api.get<Reads>(`${this.api}reads/?context=${this.context}${this.itemQuery}`);
  }

  fetchScore(): Promise<Score | null> {
    return api.get<Score>(`${this.api}score/`).catch(() => null);
  }
}
