/** What hangs: the panes of the study in their layout, those of the prior beneath, and which of them is at work. */

import { polite } from "../../common/announce";
import { h, pick } from "../../common/dom";
import type { Sketcher } from "../annotation/drawing-editor";
import type { Coverage } from "../coverage/coverage";
import { early } from "../loading/frame-decoder";
import type { Prefetcher } from "../loading/prefetcher";
import type { Clip, Prior, Study } from "../types";
import { Pane, type PaneCallbacks } from "../viewport/pane";
import { Looks } from "../viewport/presentation-state";
import type { ViewerServices } from "../viewport/viewer-services";
import { Grid, LAYOUTS, type Layout, layoutName, nextLayout, shape } from "./grid";
import { fillIn, hang } from "./hanging-protocol";
import { PriorRow } from "./prior-row";
import { layoutFor, loadScreens } from "./viewport-chunk";

export interface WallNeeds {
  /** Side by side where the window is wide enough. */
  panes: 1 | 2;
  /** Whether it may be asked what others drew in the prior. */
  others: boolean;
  coverage: Coverage;
  sketch: Sketcher;
  prefetcher: Prefetcher;
  /** A new pane shows what the others do. */
  dress: (pane: Pane) => void;
  /** Overlays are off, in panes that come later too. */
  bare: () => boolean;
  /** What hangs has changed: its frames come first. */
  load: () => void;
  shown: (pane: Pane) => void;
  changed: (pane: Pane) => void;
  looped: (pane: Pane) => void;
  choose: (clip: Clip, frame: number, pane: Pane) => void;
}

export class Wall {
  readonly grid: Grid;
  readonly prior: PriorRow;
  readonly layouts = h("select", { "aria-label": "Layout" });
  active: Pane;
  private chosen: Layout | null = null;
  private readonly looks = new Looks();

  constructor(
    private readonly study: Study,
    private readonly needs: WallNeeds,
  ) {
    this.grid = new Grid(
      "study",
      (at) => this.pane(at),
      () => this.activate(this.active),
      (sop, pane) => this.drop(sop, pane),
    );
    this.prior = new PriorRow({
      pane: (at, coverage, sketch, origin) =>
        this.follow(
          new Pane(
            `prior-${at + 1}`,
            `Prior, view ${at + 1}`,
            this.services(coverage, sketch),
            this.paneCallbacks,
            origin,
          ),
        ),
      early: (urls) => urls.forEach(early),
      drawings: needs.others
        ? (prior) => `/api/v1/studies/${study.study_uid}/priors/${prior.study_uid}/drawings/`
        : null,
    });
    this.layouts.append(...LAYOUTS.map((layout) => h("option", { value: layout }, layoutName(layout))));
    this.layouts.addEventListener("change", () => this.choosing(this.layouts.value as Layout));
    this.arrange();
    this.active = this.grid.panes[0] as Pane;
  }

  get visible(): Pane[] {
    return this.grid.visible;
  }

  /** Every pane there is, those of the prior last. */
  get panes(): readonly Pane[] {
    return [...this.grid.panes, ...this.prior.panes];
  }

  /** What can be seen, the active pane first. */
  get order(): Pane[] {
    return [this.active, ...[...this.visible, ...this.prior.panes].filter((pane) => pane !== this.active)];
  }

  get several(): boolean {
    return this.visible.length + this.prior.panes.length > 1;
  }

  /** The pane that shows this study's clips: the active one, unless that is one of the prior. */
  get own(): Pane {
    return this.visible.includes(this.active) ? this.active : (this.visible[0] as Pane);
  }

  /** Hang the first clips, and show their first pictures. */
  async open(): Promise<void> {
    const hung = hang(this.study.clips, this.visible.length);
    await Promise.all(this.visible.map((pane, at) => pane.show(hung[at] ?? null)));
  }

  focus(): void {
    this.active.focusable.focus({ preventScroll: true });
  }

  activate(pane: Pane): void {
    this.active = pane;
    for (const other of this.panes) other.activate(other === pane && this.several);
    this.needs.changed(pane);
  }

  nextLayout(): void {
    this.choosing(nextLayout(this.layout));
  }

  /** Another layout: panes that come back are as they were, new ones take the clips that hang nowhere yet. */
  relayout(layout: Layout | null = this.chosen): void {
    this.chosen = layout;
    this.arrange();
    const hung = this.visible.map((pane) => pane.clip);
    fillIn(this.study.clips, hung).forEach((clip, at) => {
      if (!hung[at]) void this.visible[at]?.show(clip);
    });
    const there = this.visible.includes(this.active) || this.prior.panes.includes(this.active);
    const lost = !there && this.active.cell.contains(document.activeElement);
    this.activate(there ? this.active : (this.visible[0] as Pane));
    if (lost) this.focus();
    void this.prior.arrange(shape(this.layout)[1]);
    this.needs.load();
  }

  rearrange(direction: "left" | "right" | "up" | "down"): void {
    const holder = this.prior.panes.includes(this.active) ? this.prior.grid : this.grid;
    if (holder.move(this.active, direction)) polite(`View moved ${direction}`);
    this.focus();
  }

  /** Show an earlier study beneath, or take it away; with no study named, the latest one. */
  async togglePrior(prior: Prior | undefined = this.study.priors[0]): Promise<void> {
    if (!prior) return;
    const shown = await this.prior.toggle(prior, shape(this.layout)[1]);
    if (!shown && !this.visible.includes(this.active)) this.activate(this.visible[0] as Pane);
    if (!shown && document.activeElement === document.body) this.focus();
    this.needs.load();
    polite(shown ? this.prior.said : "Prior taken away");
  }

  close(): void {
    for (const pane of this.panes) pane.close();
  }

  private get layout(): Layout {
    return this.chosen ?? layoutFor(this.needs.panes);
  }

  private choosing(layout: Layout): void {
    this.relayout(layout);
    polite(`Layout ${layoutName(layout)}`);
  }

  private arrange(): void {
    this.grid.arrange(...shape(this.layout));
    pick(this.layouts, this.layout);
  }

  private services(coverage: Coverage, drawingEditor: Sketcher): ViewerServices {
    const { prefetcher } = this.needs;
    return { viewports: loadScreens(), prefetcher, coverage, looks: this.looks, drawingEditor };
  }

  private get paneCallbacks(): PaneCallbacks {
    const { load, shown, changed, looped } = this.needs;
    return { hung: load, shown, changed, looped };
  }

  private pane(at: number): Pane {
    const single = this.needs.panes === 1;
    const name = at === 0 ? (single ? "only" : "left") : at === 1 ? "right" : String(at + 1);
    const title = at === 0 && single ? "View" : at < 2 && !single ? `${at ? "Right" : "Left"} view` : `View ${at + 1}`;
    const pane = new Pane(name, title, this.services(this.needs.coverage, this.needs.sketch), this.paneCallbacks);
    this.needs.dress(pane);
    return this.follow(pane);
  }

  private follow(pane: Pane): Pane {
    pane.picture.easel.hide(this.needs.bare());
    pane.cell.addEventListener("focusin", () => this.activate(pane));
    pane.section.addEventListener("pointerdown", () => this.activate(pane));
    return pane;
  }

  private drop(sop: string, pane: Pane): void {
    const clip = this.study.clips.find((each) => each.sop_uid === sop);
    if (!clip) return;
    this.activate(pane);
    this.needs.choose(clip, 1, pane);
    this.focus();
  }
}
