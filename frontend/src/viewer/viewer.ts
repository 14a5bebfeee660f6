/** The study on the screen: film, one or two panes, tools, keys, frames loaded ahead, and what was seen. */

import { polite } from "../common/announce";
import { api, reason } from "../common/api";
import { showBanner } from "../common/banner";
import { h, reducedMotion } from "../common/dom";
import { keyCap } from "../common/keymap";
import { type Binding, bind } from "../common/keys";
import type { Drawing } from "./annotation/drawing";
import { Weights } from "./attention-display";
import { Coverage } from "./coverage/coverage";
import { Film } from "./layout/film-strip";
import { neighbour, upcoming } from "./layout/hanging-protocol";
import { Wall } from "./layout/layout";
import { SecondWindow } from "./layout/second-window";
import { FramesAhead } from "./layout/study-prefetch";
import { askView } from "./layout/view-picker";
import { loadScreens, WIDE } from "./layout/viewport-chunk";
import { Marks } from "./study-marks";
import type { Clip, Current, Prior, Study } from "./types";
import { cineKeys } from "./viewport/cine-keys";
import type { Pane } from "./viewport/pane";
import { LookBar } from "./viewport/presentation-toolbar";

export interface Options {
  /** Panes side by side where the window is wide enough; the reader may choose another layout. */
  panes: 1 | 2;
  /** Whether it may be asked what others drew in earlier studies: nowhere where labels are made. */
  others: boolean;
  /** Coverage has grown. */
  seen: () => void;
  /** A clip's view was set: what must be said of the study now. */
  notes: (notes: string[]) => void;
  /** Something was drawn, moved, named or deleted; steps of one name in a row are undone as one. */
  draw: (drawings: Drawing[], step?: string) => void;
}

const cap = (label: string) => keyCap("Viewer", label);
/** A film without thumbnails for longer than this looks broken. */
const HUNG_MS = 1000;

export class Viewer {
  readonly coverage: Coverage;
  readonly film: Film;
  readonly stage = h("div", { class: "stage" });
  /** Room below the panes for what the page adds. */
  readonly lower = h("div", { class: "lower", hidden: true });

  /** The film, and below it that of the prior. */
  readonly side: HTMLElement;

  private readonly wall: Wall;
  readonly ahead: FramesAhead;
  private readonly unbind: (() => void)[] = [];
  private readonly looking: LookBar;
  readonly marks: Marks;
  readonly weights = new Weights({ panes: () => this.wall.grid.panes, goTo: (sop, frame) => this.goTo(sop, frame) });
  private readonly wide = window.matchMedia(WIDE);
  private readonly onWide = () => this.wall.relayout();
  private readonly onAway = () => this.settle();
  private readonly second = new SecondWindow(() => this.fit());
  /** The panes know their clips. */
  private hangs = false;

  constructor(
    readonly study: Study,
    private readonly options: Options,
  ) {
    this.coverage = new Coverage(study.clips);
    this.ahead = new FramesAhead(study.clips, { order: () => this.wall.order, places: () => this.visible.length });
    this.film = new Film(study.clips, this.coverage, (clip) => this.choose(clip));
    this.marks = new Marks({
      clips: study.clips,
      film: this.film,
      coverage: this.coverage,
      panes: () => this.wall.grid.panes,
      visible: () => this.visible,
      current: () => this.current,
      goTo: (sop, frame) => this.goTo(sop, frame),
      release: () => this.focus(),
      draw: (drawings, step) => options.draw(drawings, step),
    });
    this.wall = new Wall(study, {
      panes: options.panes,
      others: options.others,
      coverage: this.coverage,
      sketch: this.marks.sketch,
      prefetcher: this.ahead.prefetcher,
      dress: (pane) => this.weights.dress(pane),
      // The first panes are there before the bar that turns overlays off.
      bare: () => this.looking?.hidden ?? false,
      load: () => this.ahead.load(),
      shown: (pane) => this.shown(pane),
      changed: (pane) => this.changed(pane),
      looped: (pane) => this.looped(pane),
      choose: (clip, frame, pane) => this.choose(clip, frame, pane),
    });
    this.side = h("div", { class: "side-films" }, this.film.element, this.wall.prior.film);
    this.looking = new LookBar({ active: () => this.wall.active, every: () => this.panes, whole: () => this.stage });
    this.stage.append(
      this.wall.grid.element,
      this.wall.prior.element,
      this.marks.dock.element,
      this.tools(),
      this.lower,
    );
    for (const part of [this.side, this.stage]) part.addEventListener("click", (event) => this.release(event));
    this.ahead.prefetcher.watch(() => {
      for (const pane of this.panes) pane.progress();
    });
    document.addEventListener("visibilitychange", this.onAway);
    this.wide.addEventListener("change", this.onWide);
  }

  private get panes(): readonly Pane[] {
    return this.wall.panes;
  }

  private get visible(): Pane[] {
    return this.wall.visible;
  }

  /** Hang the first clips, show their first pictures, then load the rest. */
  async open(): Promise<void> {
    this.bindKeys();
    this.wall.activate(this.wall.active);
    this.ahead.arrived(await loadScreens());
    const hanging = this.wall.open();
    // Not before: what is focused says which clip it shows. Whoever types already is left alone.
    this.hangs = true;
    if (document.activeElement === document.body) this.focus();
    await hanging;
    this.ahead.start();
    void this.hung().then(() => this.film.loadThumbnails());
    document.documentElement.dataset["viewerReady"] = "true";
    if (!reducedMotion()) this.tour();
  }

  /** When what hangs has come, or is slow: until then nothing else is asked for, which would hold it up. */
  hung(): Promise<void> {
    return this.ahead.prefetcher.whenSettled(
      this.visible.flatMap((pane) => pane.imagesWanted()),
      HUNG_MS,
    );
  }

  /** Every pane plays its share of the study once, clip after clip, until the reader takes over. */
  tour(): void {
    for (const pane of this.visible.slice(0, 2)) {
      pane.touring = true;
      pane.play();
    }
  }

  choose(clip: Clip, frame = 1, pane = this.wall.own): void {
    for (const other of this.panes) other.touring = false;
    void pane.show(clip, frame);
  }

  /** What the keyframe and the measurements are of: never the prior. */
  get current(): Current {
    const { clip, frame, picture } = this.wall.own;
    return { clip, frame, shown: picture.shown };
  }

  goTo(sop: string, frame: number): void {
    const clip = this.study.clips.find((candidate) => candidate.sop_uid === sop);
    if (!clip) return;
    const holder = this.visible.find((pane) => pane.clip?.sop_uid === sop) ?? this.wall.own;
    this.wall.activate(holder);
    if (holder.clip?.sop_uid === sop) holder.go(frame);
    else this.choose(clip, frame, holder);
    // The frame is said by the picture itself where that has the focus.
    polite(holder.focused ? clip.label : `${clip.label}, frame ${frame}`);
  }

  /** Count what is on the screen just now. */
  settle(): void {
    for (const pane of this.visible) pane.settle();
  }

  focus(): void {
    if (this.hangs) this.wall.focus();
  }

  redrawCoverage(): void {
    for (const clip of this.study.clips) this.film.drawCoverage(clip);
    for (const pane of this.panes) pane.drawCoverage();
  }

  close(): void {
    for (const undo of this.unbind) undo();
    this.second.end();
    this.wall.close();
    this.ahead.close();
    this.wide.removeEventListener("change", this.onWide);
    document.removeEventListener("visibilitychange", this.onAway);
    delete document.documentElement.dataset["viewerReady"];
  }

  /** After a click with the mouse, Space and Enter belong to the pictures again, not to the button. */
  private release(event: MouseEvent): void {
    if (event.detail > 0 && event.target instanceof Element && event.target.closest("button")) this.focus();
  }

  private async nameView(): Promise<void> {
    const { clip } = this.wall.own;
    const choice = clip && (await askView(clip));
    if (!clip || !choice) return;
    try {
      const said = await api.patch<{ clip: Clip; notes: string[] }>(
        `/api/v1/studies/${this.study.study_uid}/clips/${clip.sop_uid}/view/`,
        { ...choice },
      );
      // The panes, the film and the form hold this very clip.
      Object.assign(clip, said.clip);
      this.film.rename(clip);
      for (const pane of this.panes) if (pane.clip === clip) pane.rename();
      this.options.notes(said.notes);
      polite(`Clip ${clip.number} is ${clip.label}`);
    } catch (error) {
      showBanner({ name: "view", title: "The view was not changed.", detail: reason(error) });
    }
  }

  async togglePrior(prior?: Prior): Promise<void> {
    await this.wall.togglePrior(prior);
  }

  private shown(pane: Pane): void {
    this.chosen(pane);
    if (pane.clip) this.film.drawCoverage(pane.clip);
    this.options.seen();
  }

  /** Among others on the screen, one frame of a clip is a thumbnail; where the reader is at work it is looked at. */
  private chosen(pane: Pane): boolean {
    return (
      pane === this.wall.active &&
      pane.clip !== null &&
      pane.picture.shown !== null &&
      this.coverage.choose(pane.clip.sop_uid)
    );
  }

  private changed(pane: Pane): void {
    this.film.mark(this.visible.map((each) => each.clip?.sop_uid));
    this.wall.prior.mark();
    if (this.wall.grid.panes.includes(pane)) this.marks.markPane(pane);
    if (pane !== this.wall.active) return;
    if (this.chosen(pane)) this.options.seen();
    this.looking.draw();
  }

  private looped(pane: Pane): void {
    if (!pane.touring) return;
    const unseen = new Set(this.coverage.unopened());
    const share = this.visible.length < 2 ? "all" : pane === this.visible[1] ? "right" : "left";
    const next = upcoming(this.study.clips, pane.clip, unseen, share);
    if (!next) {
      pane.touring = false;
      if ((pane.clip?.frames ?? 0) < 2) pane.pause();
      return;
    }
    void pane.show(next).then(() => {
      if (pane.touring) pane.play();
    });
  }

  private moveClip(step: 1 | -1): void {
    const next = neighbour(this.wall.prior.clipsOf(this.wall.active) ?? this.study.clips, this.wall.active.clip, step);
    if (!next) return polite(step > 0 ? "This is the last clip" : "This is the first clip");
    this.choose(next, 1, this.wall.active);
    polite(`Clip ${next.number}, ${next.label}`);
  }

  // ---------- tools and keys ----------

  private tools(): HTMLElement {
    const tool = (label: string, key: string, run: () => void) =>
      h("button", { class: "btn btn-quiet", type: "button", onclick: run }, `${label} `, cap(key));
    return h(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Picture" },
      tool("Measure", "V", () => this.marks.dock.toggle()),
      ...this.looking.tools(),
      tool("Window 2", "F2", () => this.toSecondWindow()),
      tool("View", "J", () => void this.nameView()),
      h(
        "label",
        { class: "field right-end" },
        h("span", { "aria-hidden": "true" }, "Layout"),
        this.wall.layouts,
        cap("G"),
      ),
    );
  }

  /** The prior, or with none shown the film, to a second window and back. */
  private toSecondWindow(): void {
    const prior = this.wall.prior.panes.length > 0;
    this.second.toggle(
      prior ? "Prior" : "Clips",
      prior ? [this.wall.prior.element, this.wall.prior.film] : [this.side],
    );
  }

  private fit(): void {
    for (const pane of this.panes) {
      pane.rename();
      pane.picture.moved();
    }
    this.redrawCoverage();
    this.focus();
  }

  private bindKeys(): void {
    const group = "Viewer";
    // The slider's own arrows keep its semantics.
    const off = (event: Event, run: () => void) =>
      event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement ? false : void run();
    const several = () => this.wall.several;
    const keys: Binding[] = [
      ...cineKeys({ active: () => this.wall.active, every: () => [...this.visible, ...this.wall.prior.panes] }),
      { key: "ArrowUp", caps: ["↑", "↓"], label: "Clip", group, run: (event) => off(event, () => this.moveClip(-1)) },
      { key: "ArrowDown", label: "Next clip", group, bar: false, run: (event) => off(event, () => this.moveClip(1)) },
      ...this.looking.keys(),
      ...this.marks.dock.keys(),
      { key: "j", label: "Name the view", group, bar: false, run: () => void this.nameView() },
      { key: "F2", label: "Second window", group, bar: false, run: () => this.toSecondWindow() },
      { key: "g", label: "Layout", group, bar: false, run: () => this.wall.nextLayout() },
      ...(["left", "right", "up", "down"] as const).map((direction) => ({
        key: `Ctrl+Shift+Arrow${direction.charAt(0).toUpperCase()}${direction.slice(1)}`,
        label: `Move this view ${direction}`,
        group,
        bar: false,
        run: () => this.wall.rearrange(direction),
        when: several,
      })),
      // Tab is the browser's own: the panes follow each other in the page.
      { key: "Tab", label: "Other view", group, run: () => false, when: several },
    ];
    if (this.study.priors.length) keys.push({ key: "p", label: "Prior", group, run: () => void this.togglePrior() });
    this.unbind.push(...keys.map(bind));
  }
}
