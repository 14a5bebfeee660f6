/** The panes of the study in their layout, those of the prior beneath, and which of them is active. */

import { polite } from "../../common/announce";
import { h, pick } from "../../common/dom";
import type { DrawingEditor } from "../annotation/drawing-editor";
import type { Coverage } from "../coverage/coverage";
import { prefetchBitmap } from "../loading/frame-decoder";
import type { Prefetcher } from "../loading/prefetcher";
import type { Clip, Prior, Study } from "../types";
import { Pane, type PaneHost } from "../viewport/pane";
import { PresentationStates } from "../viewport/presentation-state";
import type { ViewerServices } from "../viewport/viewer-services";
import { Grid, LAYOUTS, type Layout, layoutName, nextLayout, shape } from "./grid";
import { fillEmptyPanes, hangClips } from "./hanging-protocol";
import { PriorRow } from "./prior-row";
import { layoutFor, loadViewports } from "./viewport-chunk";

export interface PaneLayoutHost {
  /** Side by side where the window is wide enough. */
  panes: 1 | 2;
  /** Whether it may be asked what others drew in the prior. */
  showPriorDrawings: boolean;
  coverage: Coverage;
  /** Whether the page, or its second window, is the one that the reader works in. */
  inFront: () => boolean;
  drawingEditor: DrawingEditor;
  prefetcher: Prefetcher;
  /** A pane was added and needs what the others show. */
  paneAdded: (pane: Pane) => void;
  /** Whether overlays are off, for panes that are added later. */
  overlaysHidden: () => boolean;
  /** The visible clips have changed: their frames are loaded first. */
  framesWanted: () => void;
  frameShown: (pane: Pane) => void;
  paneChanged: (pane: Pane) => void;
  clipLooped: (pane: Pane) => void;
  showClip: (clip: Clip, frame: number, pane: Pane) => void;
}

export class PaneLayout {
  readonly grid: Grid;
  readonly prior: PriorRow;
  readonly layouts = h("select", { "aria-label": "Layout" });
  active: Pane;
  private chosen: Layout | null = null;
  private readonly presentationStates = new PresentationStates();

  constructor(
    private readonly study: Study,
    private readonly host: PaneLayoutHost,
  ) {
    this.grid = new Grid(
      "study",
      (at) => this.makePane(at),
      () => this.activate(this.active),
      (sop, pane) => this.dropClip(sop, pane),
    );
    this.prior = new PriorRow({
      makePane: (at, coverage, drawingEditor, origin) =>
        this.activateOnUse(
          new Pane(
            `prior-${at + 1}`,
            `Prior, view ${at + 1}`,
            this.services(coverage, drawingEditor),
            this.paneHost,
            origin,
          ),
        ),
      prefetch: (urls) => urls.forEach(prefetchBitmap),
      drawingsUrl: host.showPriorDrawings
        ? (prior) => `/api/v1/studies/${study.study_uid}/priors/${prior.study_uid}/drawings/`
        : null,
    });
    this.layouts.append(...LAYOUTS.map((layout) => h("option", { value: layout }, layoutName(layout))));
    this.layouts.addEventListener("change", () => this.chooseLayout(this.layouts.value as Layout));
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

  /** The visible panes, the active one first. */
  get order(): Pane[] {
    return [this.active, ...[...this.visible, ...this.prior.panes].filter((pane) => pane !== this.active)];
  }

  get hasSeveralPanes(): boolean {
    return this.visible.length + this.prior.panes.length > 1;
  }

  /** The pane that shows this study's clips: the active one, unless that is one of the prior. */
  get studyPane(): Pane {
    return this.visible.includes(this.active) ? this.active : (this.visible[0] as Pane);
  }

  /** Hang the first clips, and show their first pictures. */
  async open(): Promise<void> {
    const clips = hangClips(this.study.clips, this.visible.length);
    await Promise.all(this.visible.map((pane, at) => pane.show(clips[at] ?? null)));
  }

  focus(): void {
    this.active.focusable.focus({ preventScroll: true });
  }

  activate(pane: Pane): void {
    this.active = pane;
    for (const other of this.panes) {
      other.setAtWork(other === pane);
      other.activate(other === pane && this.hasSeveralPanes);
    }
    this.host.paneChanged(pane);
  }

  nextLayout(): void {
    this.chooseLayout(nextLayout(this.layout));
  }

  /** Another layout: panes that come back are as they were, new ones take the clips that hang nowhere yet. */
  relayout(layout: Layout | null = this.chosen): void {
    this.chosen = layout;
    this.arrange();
    const clips = this.visible.map((pane) => pane.clip);
    fillEmptyPanes(this.study.clips, clips).forEach((clip, at) => {
      if (!clips[at]) void this.visible[at]?.show(clip);
    });
    const activeVisible = this.visible.includes(this.active) || this.prior.panes.includes(this.active);
    const hadFocus = !activeVisible && this.active.cell.contains(document.activeElement);
    this.activate(activeVisible ? this.active : (this.visible[0] as Pane));
    if (hadFocus) this.focus();
    void this.prior.arrange(shape(this.layout)[1]);
    this.host.framesWanted();
  }

  rearrange(direction: "left" | "right" | "up" | "down"): void {
    const grid = this.prior.panes.includes(this.active) ? this.prior.grid : this.grid;
    if (grid.move(this.active, direction)) polite(`View moved ${direction}`);
    this.focus();
  }

  /** Show an earlier study beneath, or hide it; by default the latest one. */
  async togglePrior(prior: Prior | undefined = this.study.priors[0]): Promise<void> {
    if (!prior) return;
    const shown = await this.prior.toggle(prior, shape(this.layout)[1]);
    if (!shown && !this.visible.includes(this.active)) this.activate(this.visible[0] as Pane);
    if (!shown && document.activeElement === document.body) this.focus();
    this.host.framesWanted();
    polite(shown ? this.prior.status : "Prior taken away");
  }

  close(): void {
    for (const pane of this.panes) pane.close();
  }

  private get layout(): Layout {
    return this.chosen ?? layoutFor(this.host.panes);
  }

  private chooseLayout(layout: Layout): void {
    this.relayout(layout);
    polite(`Layout ${layoutName(layout)}`);
  }

  private arrange(): void {
    this.grid.arrange(...shape(this.layout));
    pick(this.layouts, this.layout);
  }

  private services(coverage: Coverage, drawingEditor: DrawingEditor): ViewerServices {
    const { prefetcher, inFront } = this.host;
    return {
      viewports: loadViewports(),
      prefetcher,
      coverage,
      inFront,
      presentationStates: this.presentationStates,
      drawingEditor,
    };
  }

  private get paneHost(): PaneHost {
    const { framesWanted, frameShown, paneChanged, clipLooped } = this.host;
    return { framesKnown: framesWanted, frameShown, paneChanged, clipLooped };
  }

  private makePane(at: number): Pane {
    const single = this.host.panes === 1;
    const name = at === 0 ? (single ? "only" : "left") : at === 1 ? "right" : String(at + 1);
    const title = at === 0 && single ? "View" : at < 2 && !single ? `${at ? "Right" : "Left"} view` : `View ${at + 1}`;
    const pane = new Pane(name, title, this.services(this.host.coverage, this.host.drawingEditor), this.paneHost);
    this.host.paneAdded(pane);
    return this.activateOnUse(pane);
  }

  private activateOnUse(pane: Pane): Pane {
    pane.picture.overlay.hide(this.host.overlaysHidden());
    pane.cell.addEventListener("focusin", () => this.activate(pane));
    pane.section.addEventListener("pointerdown", () => this.activate(pane));
    return pane;
  }

  private dropClip(sop: string, pane: Pane): void {
    const clip = this.study.clips.find((each) => each.sop_uid === sop);
    if (!clip) return;
    this.activate(pane);
    this.host.showClip(clip, 1, pane);
    this.focus();
  }
}
