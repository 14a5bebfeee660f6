/** The study on the screen: film, one or two panes, tools, keys, frames loaded ahead, and what was seen. */

import type { ClipChange } from "../api/schema";
import { polite } from "../common/announce";
import { api, reason } from "../common/api";
import { showBanner } from "../common/banner";
import { h, person } from "../common/dom";
import { keyCap } from "../common/keymap";
import { type Binding, bind, exceptInControls } from "../common/keys";
import type { Drawing } from "./annotation/drawing";
import { AttentionDisplay } from "./attention-display";
import { Coverage } from "./coverage/coverage";
import { ClipTour } from "./layout/clip-tour";
import { FilmStrip } from "./layout/film-strip";
import { adjacentClip } from "./layout/hanging-protocol";
import { PaneLayout } from "./layout/layout";
import { SecondWindow } from "./layout/second-window";
import { StudyPrefetch } from "./layout/study-prefetch";
import { askView } from "./layout/view-picker";
import { loadViewports, WIDE_WINDOW } from "./layout/viewport-chunk";
import { StudyMarks } from "./study-marks";
import type { Clip, Current, Prior, Study } from "./types";
import { cineKeys } from "./viewport/cine-keys";
import type { Pane } from "./viewport/pane";
import { PresentationToolbar } from "./viewport/presentation-toolbar";

export interface ViewerHost {
  /** Panes side by side where the window is wide enough; the reader may choose another layout. */
  panes: 1 | 2;
  /** Whether it may be asked what others drew in earlier studies: nowhere where labels are made. */
  showPriorDrawings: boolean;
  /** Coverage has grown. */
  coverageChanged: () => void;
  /** A clip's view was set: what must be said of the study now. */
  notesChanged: (notes: string[]) => void;
  /** Something was drawn, moved, named or deleted; steps of one name in a row are undone as one. */
  drawingsChanged: (drawings: Drawing[], step?: string) => void;
}

const cap = (label: string) => keyCap("Viewer", label);
/** A film without thumbnails for longer than this looks broken. */
const FIRST_PICTURES_MS = 1000;

export class Viewer {
  readonly coverage: Coverage;
  readonly film: FilmStrip;
  readonly stage = h("div", { class: "stage" });
  /** Room below the panes for what the page adds. */
  readonly lower = h("div", { class: "lower", hidden: true });

  /** The film, and below it that of the prior. */
  readonly side: HTMLElement;

  private readonly layout: PaneLayout;
  readonly prefetch: StudyPrefetch;
  private readonly unbind: (() => void)[] = [];
  private readonly toolbar: PresentationToolbar;
  readonly marks: StudyMarks;
  readonly attention = new AttentionDisplay({
    panes: () => this.layout.grid.panes,
    goTo: (sop, frame) => this.goTo(sop, frame),
  });
  private readonly wide = window.matchMedia(WIDE_WINDOW);
  private readonly onWide = () => this.layout.relayout();
  private readonly onAway = () => this.countTime();
  private readonly secondWindow = new SecondWindow(() => this.windowChanged(), this.onAway);
  private readonly tour: ClipTour;
  /** The panes know their clips. */
  private opened = false;

  constructor(
    readonly study: Study,
    private readonly host: ViewerHost,
  ) {
    this.coverage = new Coverage(study.clips);
    this.prefetch = new StudyPrefetch(study.clips, {
      panes: () => this.layout.order,
      paneCount: () => this.visible.length,
    });
    this.film = new FilmStrip(study.clips, this.coverage, (clip) => this.choose(clip));
    this.marks = new StudyMarks({
      clips: study.clips,
      film: this.film,
      coverage: this.coverage,
      panes: () => this.layout.grid.panes,
      visiblePanes: () => this.visible,
      current: () => this.current,
      goTo: (sop, frame) => this.goTo(sop, frame),
      focusPictures: () => this.focus(),
      drawingsChanged: (drawings, step) => host.drawingsChanged(drawings, step),
    });
    this.layout = new PaneLayout(study, {
      panes: host.panes,
      showPriorDrawings: host.showPriorDrawings,
      coverage: this.coverage,
      inFront: () => !document.hidden && (document.hasFocus() || this.secondWindow.hasFocus),
      drawingEditor: this.marks.drawingEditor,
      prefetcher: this.prefetch.prefetcher,
      paneAdded: (pane) => this.attention.showOn(pane),
      // The first panes are there before the bar that turns overlays off.
      overlaysHidden: () => this.toolbar?.overlaysHidden ?? false,
      framesWanted: () => this.prefetch.load(),
      frameShown: (pane) => this.frameShown(pane),
      paneChanged: (pane) => this.paneChanged(pane),
      clipLooped: (pane) => this.tour.clipLooped(pane),
      showClip: (clip, frame, pane) => this.choose(clip, frame, pane),
    });
    this.tour = new ClipTour({
      pane: () => this.layout.studyPane,
      clips: study.clips,
      unseen: () => this.coverage.unseen(),
    });
    this.side = h("div", { class: "side-films" }, this.film.element, this.layout.prior.film);
    this.toolbar = new PresentationToolbar({
      activePane: () => this.layout.active,
      panes: () => this.panes,
      stage: () => this.stage,
    });
    this.stage.append(
      this.layout.grid.element,
      this.layout.prior.element,
      this.marks.drawingPanel.element,
      this.makeToolbar(),
      this.lower,
    );
    for (const part of [this.side, this.stage]) part.addEventListener("click", (event) => this.focusAfterClick(event));
    this.prefetch.prefetcher.watch(() => {
      for (const pane of this.panes) pane.progress();
    });
    document.addEventListener("visibilitychange", this.onAway);
    for (const name of ["focus", "blur"]) window.addEventListener(name, this.onAway);
    this.wide.addEventListener("change", this.onWide);
  }

  private get panes(): readonly Pane[] {
    return this.layout.panes;
  }

  private get visible(): Pane[] {
    return this.layout.visible;
  }

  /** Hang the first clips, show their first pictures, then load the rest. */
  async open(): Promise<void> {
    this.bindKeys();
    this.layout.activate(this.layout.active);
    this.prefetch.setViewports(await loadViewports());
    const hanging = this.layout.open();
    // Not before: what is focused says which clip it shows. Whoever types already is left alone.
    this.opened = true;
    if (document.activeElement === document.body) this.focus();
    await hanging;
    this.prefetch.start();
    void this.firstPicturesShown().then(() => this.film.loadThumbnails());
    document.documentElement.dataset["viewerReady"] = "true";
  }

  /** When the first pictures are loaded, or late: other requests wait for that, which would slow them down. */
  firstPicturesShown(): Promise<void> {
    return this.prefetch.prefetcher.whenSettled(
      this.visible.flatMap((pane) => pane.imagesWanted()),
      FIRST_PICTURES_MS,
    );
  }

  choose(clip: Clip, frame = 1, pane = this.layout.studyPane): void {
    this.tour.end(true);
    void pane.show(clip, frame);
  }

  /** What the keyframe and the measurements are of: never the prior. */
  get current(): Current {
    const { clip, frame, picture } = this.layout.studyPane;
    return { clip, frame, shown: picture.shown };
  }

  goTo(sop: string, frame: number): void {
    const clip = this.study.clips.find((candidate) => candidate.sop_uid === sop);
    if (!clip) return;
    const pane = this.visible.find((each) => each.clip?.sop_uid === sop) ?? this.layout.studyPane;
    this.layout.activate(pane);
    if (pane.clip?.sop_uid === sop) pane.go(frame);
    else this.choose(clip, frame, pane);
    // The frame is said by the picture itself where that has the focus.
    polite(pane.focused ? clip.label : `${clip.label}, frame ${frame}`);
  }

  /** Add the time that each frame on the screen has been shown to the coverage. */
  countTime(): void {
    for (const pane of this.visible) pane.countTime();
  }

  focus(): void {
    if (this.opened) this.layout.focus();
  }

  redrawCoverage(): void {
    for (const clip of this.study.clips) this.film.drawCoverage(clip);
    for (const pane of this.panes) pane.drawCoverage();
  }

  close(): void {
    this.tour.end();
    for (const undo of this.unbind) undo();
    this.secondWindow.dispose();
    this.layout.close();
    this.prefetch.close();
    this.wide.removeEventListener("change", this.onWide);
    document.removeEventListener("visibilitychange", this.onAway);
    for (const name of ["focus", "blur"]) window.removeEventListener(name, this.onAway);
    delete document.documentElement.dataset["viewerReady"];
  }

  /** After a click with the mouse, Space and Enter belong to the pictures again, not to the button. */
  private focusAfterClick(event: MouseEvent): void {
    if (event.detail > 0 && event.target instanceof Element && event.target.closest("button")) this.focus();
  }

  /** A view is set for everybody, so that only readers of the list set it. */
  private get namesViews(): boolean {
    return ["radiologist", "admin"].includes(person()?.role ?? "");
  }

  private async setView(): Promise<void> {
    const { clip } = this.layout.studyPane;
    const choice = clip && (await askView(clip));
    if (!clip || !choice) return;
    try {
      const answer = await api.patch<ClipChange>(
        `/api/v1/studies/${this.study.study_uid}/clips/${clip.sop_uid}/view/`,
        { ...choice },
      );
      // The panes, the film and the form hold this very clip.
      Object.assign(clip, answer.clip);
      this.film.rename(clip);
      for (const pane of this.panes) if (pane.clip === clip) pane.rename();
      this.host.notesChanged(answer.notes);
      polite(`Clip ${clip.number} is ${clip.label}`);
    } catch (error) {
      showBanner({ name: "view", title: "The view was not changed.", detail: reason(error) });
    }
  }

  async togglePrior(prior?: Prior): Promise<void> {
    await this.layout.togglePrior(prior);
  }

  private frameShown(pane: Pane): void {
    if (pane.clip) this.film.drawCoverage(pane.clip);
    this.host.coverageChanged();
  }

  private paneChanged(pane: Pane): void {
    this.film.mark(this.visible.map((each) => each.clip?.sop_uid));
    this.layout.prior.mark();
    if (this.layout.grid.panes.includes(pane)) this.marks.markPane(pane);
    if (pane !== this.layout.active) return;
    this.toolbar.draw();
  }

  private moveClip(step: 1 | -1): void {
    const next = adjacentClip(
      this.layout.prior.clipsOf(this.layout.active) ?? this.study.clips,
      this.layout.active.clip,
      step,
    );
    if (!next) return polite(step > 0 ? "This is the last clip" : "This is the first clip");
    this.choose(next, 1, this.layout.active);
    polite(`Clip ${next.number}, ${next.label}`);
  }

  // ---------- tools and keys ----------

  private makeToolbar(): HTMLElement {
    const tool = (label: string, key: string, run: () => void) =>
      h("button", { class: "btn btn-quiet", type: "button", onclick: run }, `${label} `, cap(key));
    return h(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Picture" },
      tool("Measure", "V", () => this.marks.drawingPanel.toggle()),
      ...this.toolbar.tools(),
      tool("Window 2", "F2", () => this.toSecondWindow()),
      this.namesViews ? tool("View", "J", () => void this.setView()) : null,
      h(
        "label",
        { class: "field right-end" },
        h("span", { "aria-hidden": "true" }, "Layout"),
        this.layout.layouts,
        cap("G"),
      ),
    );
  }

  /** The prior, or with none shown the film, to a second window and back. */
  private toSecondWindow(): void {
    const prior = this.layout.prior.panes.length > 0;
    this.secondWindow.toggle(
      prior ? "Prior" : "Clips",
      prior ? [this.layout.prior.element, this.layout.prior.film] : [this.side],
    );
  }

  private windowChanged(): void {
    for (const pane of this.panes) {
      pane.rename();
      pane.picture.windowChanged();
    }
    this.redrawCoverage();
    this.focus();
  }

  private bindKeys(): void {
    const group = "Viewer";
    const several = () => this.layout.hasSeveralPanes;
    const keys: Binding[] = [
      ...cineKeys({ activePane: () => this.layout.active, panes: () => [...this.visible, ...this.layout.prior.panes] }),
      { key: "ArrowUp", caps: ["↑", "↓"], label: "Clip", group, run: exceptInControls(() => this.moveClip(-1)) },
      { key: "ArrowDown", label: "Next clip", group, bar: false, run: exceptInControls(() => this.moveClip(1)) },
      ...this.toolbar.keys(),
      ...this.marks.drawingPanel.keys(),
      ...(this.namesViews
        ? [{ key: "j", label: "Name the view", group, bar: false, run: () => void this.setView() }]
        : []),
      { key: "Shift+F2", label: "Play every clip not seen", group, bar: false, run: () => this.tour.start() },
      { key: "F2", label: "Second window", group, bar: false, run: () => this.toSecondWindow() },
      { key: "g", label: "Layout", group, bar: false, run: () => this.layout.nextLayout() },
      ...(["left", "right", "up", "down"] as const).map((direction) => ({
        key: `Ctrl+Shift+Arrow${direction.charAt(0).toUpperCase()}${direction.slice(1)}`,
        label: `Move this view ${direction}`,
        group,
        bar: false,
        run: () => this.layout.rearrange(direction),
        when: several,
      })),
      // Tab is the browser's own: the panes follow each other in the page.
      { key: "Tab", label: "Other view", group, run: () => false, when: several },
    ];
    if (this.study.priors.length) keys.push({ key: "p", label: "Prior", group, run: () => void this.togglePrior() });
    this.unbind.push(...keys.map(bind));
  }
}
