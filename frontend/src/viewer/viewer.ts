/** The study on the screen: film, one or two panes, tools, keys, frames loaded ahead, and what was seen. */

import { assertive, polite } from "../common/announce";
import { api, reason } from "../common/api";
import { showBanner } from "../common/banner";
import { h, reducedMotion } from "../common/dom";
import { keyCap } from "../common/keymap";
import { type Binding, bind } from "../common/keys";
import { peaks } from "./attention";
import { Coverage } from "./coverage";
import { Film } from "./film";
import { early } from "./frames";
import { cineKeys } from "./cinekeys";
import { DrawDock } from "./drawdock";
import { type Drawing, PRESETS } from "./drawing";
import { Grid, LAYOUTS, type Layout, layoutName, nextLayout, shape } from "./grid";
import type { HeatMaps } from "./heat";
import { fillIn, hang, neighbour, upcoming } from "./hanging";
import { Looks } from "./look";
import { LookBar } from "./lookbar";
import type { Preset } from "./measure";
import { Pane, type Screens } from "./pane";
import { Prefetcher } from "./prefetch";
import { PriorRow } from "./prior";
import { SecondWindow } from "./second";
import { Sketcher } from "./sketch";
import { type Clip, type Prior, type Study, type Weight, frameUrl, playable } from "./types";
import { askView } from "./viewpick";

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
const WIDE = "(min-width: 1180px)";
/** Frames in flight: neighbours travel together, so these are few requests. */
const AT_ONCE = 32;
/** A film without thumbnails for longer than this looks broken. */
const HUNG_MS = 1000;

let screens: Promise<Screens> | null = null;
let here: Screens | null = null;

/** Begin loading the part that draws, while the study is still being asked for. */
export function loadScreens(): Promise<Screens> {
  screens ??= import("./screen").then((code) => (here = code));
  return screens;
}

function layoutFor(panes: 1 | 2): Layout {
  return panes === 2 && window.matchMedia(WIDE).matches ? "1x2" : "1x1";
}

/** Ask for what hangs first, before there is anything to hang it in. */
export function beginPictures(study: Study, panes: 1 | 2): void {
  const [rows, columns] = shape(layoutFor(panes));
  for (const clip of hang(study.clips, rows * columns)) if (clip && playable(clip) && !here?.hasFrame(frameUrl(clip, 1))) early(frameUrl(clip, 1));
}

export class Viewer {
  readonly coverage: Coverage;
  readonly film: Film;
  readonly stage = h("div", { class: "stage" });
  /** Room below the panes for what the page adds. */
  readonly lower = h("div", { class: "lower", hidden: true });

  /** The film, and below it that of the prior. */
  readonly side: HTMLElement;

  private readonly grid: Grid;
  private readonly prior: PriorRow;
  private active: Pane;
  private chosen: Layout | null = null;
  private readonly layouts = h("select", { "aria-label": "Layout" });
  private readonly prefetcher: Prefetcher;
  private readonly unbind: (() => void)[] = [];
  private readonly looks = new Looks();
  private readonly looking: LookBar;
  private readonly dock: DrawDock;
  readonly sketch = new Sketcher({
    changed: (drawings, step) => this.options.draw(drawings, step),
    redraw: () => this.drawMarks(),
    naming: (drawing) => this.holder(drawing)?.easel.name(drawing),
  });
  private keyframes: readonly { sop_uid: string; frame: number }[] = [];
  private readonly wide = window.matchMedia(WIDE);
  private readonly onWide = () => this.relayout();
  private readonly onAway = () => this.settle();
  private attention: readonly Weight[] | null = null;
  private heat: HeatMaps | null = null;
  private heatOn = true;
  private peak = -1;
  private next: Study | null = null;
  private readonly second = new SecondWindow(() => this.fit());
  private ready = false;

  constructor(
    readonly study: Study,
    private readonly options: Options,
  ) {
    this.coverage = new Coverage(study.clips);
    this.prefetcher = new Prefetcher((id) => loadScreens().then((code) => code.loadFrame(id)), { atOnce: AT_ONCE, room: () => this.ready && this.hasRoom });
    this.film = new Film(study.clips, this.coverage, (clip) => this.choose(clip));
    this.grid = new Grid("study", (at) => this.pane(at), () => this.activate(this.active), (sop, pane) => this.drop(sop, pane));
    this.prior = new PriorRow({
      pane: (at, coverage, sketch, origin) => this.follow(new Pane(`prior-${at + 1}`, `Prior, view ${at + 1}`, this.surroundings(coverage, sketch), origin)),
      early: (urls) => urls.forEach(early),
      drawings: options.others ? (prior) => `/api/v1/studies/${study.study_uid}/priors/${prior.study_uid}/drawings/` : null,
    });
    this.side = h("div", { class: "side-films" }, this.film.element, this.prior.film);
    this.arrange();
    this.active = this.grid.panes[0] as Pane;
    this.looking = new LookBar({ active: () => this.active, every: () => this.panes, whole: () => this.stage });
    this.dock = new DrawDock({ sketch: this.sketch, clips: study.clips, current: () => this.current, goTo: (sop, frame) => this.goTo(sop, frame), release: () => this.focus() });
    this.stage.append(this.grid.element, this.prior.element, this.dock.element, this.tools(), this.lower);
    for (const part of [this.side, this.stage]) part.addEventListener("click", (event) => this.release(event));
    this.prefetcher.watch(() => this.panes.forEach((pane) => pane.progress()));
    document.addEventListener("visibilitychange", this.onAway);
    this.wide.addEventListener("change", this.onWide);
  }

  private get hasRoom(): boolean {
    return this.code?.roomToLoadAhead() ?? false;
  }

  private code: Screens | null = null;

  /** Every pane there is, those of the prior last. */
  private get panes(): readonly Pane[] {
    return [...this.grid.panes, ...this.prior.panes];
  }

  /** Hang the first clips, show their first pictures, then load the rest. */
  async open(): Promise<void> {
    const hung = hang(this.study.clips, this.visible.length);
    this.bindKeys();
    this.activate(this.active);
    this.code = await loadScreens();
    await Promise.all(this.visible.map((pane, at) => pane.show(hung[at] ?? null)));
    this.ready = true;
    this.load();
    void this.hung().then(() => this.film.loadThumbnails());
    document.documentElement.dataset["viewerReady"] = "true";
    if (!reducedMotion()) this.tour();
  }

  /** When what hangs has come, or is slow: until then nothing else is asked for, which would hold it up. */
  hung(): Promise<void> {
    return this.prefetcher.whenSettled(this.visible.flatMap((pane) => pane.imagesWanted()), HUNG_MS);
  }

  /** Every pane plays its share of the study once, clip after clip, until the reader takes over. */
  tour(): void {
    for (const pane of this.visible.slice(0, 2)) {
      pane.touring = true;
      pane.play();
    }
  }

  choose(clip: Clip, frame = 1, pane = this.own): void {
    for (const other of this.panes) other.touring = false;
    void pane.show(clip, frame);
  }

  /** The pane that shows this study's clips: the active one, unless that is one of the prior. */
  private get own(): Pane {
    return this.visible.includes(this.active) ? this.active : (this.visible[0] as Pane);
  }

  /** What the keyframe and the measurements are of: never the prior. */
  get current(): { clip: Clip | null; frame: number } {
    return { clip: this.own.clip, frame: this.own.frame };
  }

  // ---------- drawings ----------

  /** What the read says was drawn; only a read that is open takes more. */
  setDrawings(drawings: readonly Drawing[], editable: boolean): void {
    this.sketch.set(drawings, editable);
    this.markFrames();
  }

  setKeyframes(keyframes: readonly { sop_uid: string; frame: number }[]): void {
    this.keyframes = keyframes;
    this.markFrames();
  }

  /** Take a measure in hand, on the side that was said before. */
  measure(preset: Exclude<Preset, "">, side: "right" | "left" | null): void {
    const facts = PRESETS[preset];
    if (facts.perSide && !side) return assertive(`${facts.name} is taken per side: press R or L first`);
    this.dock.choose({ tool: "length", preset, side: facts.perSide ? (side ?? "") : "" }, false);
  }

  goToDrawing(drawing: Drawing): void {
    this.goTo(drawing.sop_uid, drawing.frame);
    this.sketch.select(drawing.uid);
  }

  openDock(): void {
    this.dock.toggle(true);
  }

  private holder({ sop_uid, frame }: Drawing): Pane | undefined {
    return this.visible.find((pane) => pane.clip?.sop_uid === sop_uid && pane.frame === frame);
  }

  private drawMarks(): void {
    for (const pane of this.grid.panes) pane.easel.draw();
    this.dock.draw();
  }

  /** Frames with a keyframe or a drawing stand out in the film and under the pictures. */
  private markFrames(): void {
    for (const clip of this.study.clips) this.film.setMarks(clip, this.marksOf(clip));
    for (const pane of this.grid.panes) this.markPane(pane);
  }

  private markPane(pane: Pane): void {
    pane.setMarks(pane.clip ? this.marksOf(pane.clip) : []);
    pane.drawCoverage();
  }

  private marksOf({ sop_uid }: Clip): number[] {
    const frames = [...this.keyframes, ...this.sketch.drawings].filter((each) => each.sop_uid === sop_uid).map(({ frame }) => frame);
    return [...new Set(frames)].sort((a, b) => a - b);
  }

  /** Attention is given after the commit only; null hides it. */
  setAttention(attention: readonly Weight[] | null): void {
    this.attention = attention;
    this.peak = -1;
    for (const pane of this.grid.panes) pane.setAttention(attention);
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

  private drawHeat(): void {
    for (const pane of this.grid.panes) pane.setHeat(this.heatOn ? this.heat : null);
  }

  toPeak(step: 1 | -1): void {
    const found = this.attention ? peaks(this.attention) : [];
    if (!found.length) return;
    this.peak = this.peak < 0 ? (step > 0 ? 0 : found.length - 1) : (this.peak + step + found.length) % found.length;
    const entry = found[this.peak];
    if (entry) this.goTo(entry.sop_uid, entry.frame);
  }

  goTo(sop: string, frame: number): void {
    const clip = this.study.clips.find((candidate) => candidate.sop_uid === sop);
    if (!clip) return;
    const holder = this.visible.find((pane) => pane.clip?.sop_uid === sop) ?? this.own;
    this.activate(holder);
    if (holder.clip?.sop_uid === sop) holder.go(frame);
    else this.choose(clip, frame, holder);
    polite(`${clip.label}, frame ${frame}`);
  }

  /** Count what is on the screen just now. */
  settle(): void {
    for (const pane of this.visible) pane.settle();
  }

  focus(): void {
    this.active.focusable.focus({ preventScroll: true });
  }

  redrawCoverage(): void {
    for (const clip of this.study.clips) this.film.drawCoverage(clip);
    for (const pane of this.panes) pane.drawCoverage();
  }

  close(): void {
    for (const undo of this.unbind) undo();
    this.second.end();
    for (const pane of this.panes) pane.close();
    this.prefetcher.close();
    this.wide.removeEventListener("change", this.onWide);
    document.removeEventListener("visibilitychange", this.onAway);
    this.code?.clearFrames();
    delete document.documentElement.dataset["viewerReady"];
  }

  // ---------- panes ----------

  private get layout(): Layout {
    return this.chosen ?? layoutFor(this.options.panes);
  }

  private get visible(): Pane[] {
    return this.grid.visible;
  }

  private surroundings(coverage: Coverage, sketch: Sketcher) {
    return {
      screens: loadScreens(),
      prefetcher: this.prefetcher,
      coverage,
      looks: this.looks,
      sketch,
      hung: () => this.load(),
      shown: (pane: Pane) => this.shown(pane),
      changed: (pane: Pane) => this.changed(pane),
      looped: (pane: Pane) => this.looped(pane),
    };
  }

  private pane(at: number): Pane {
    const single = this.options.panes === 1;
    const name = at === 0 ? (single ? "only" : "left") : at === 1 ? "right" : String(at + 1);
    const title = at === 0 && single ? "View" : at < 2 && !single ? `${at ? "Right" : "Left"} view` : `View ${at + 1}`;
    const pane = new Pane(name, title, this.surroundings(this.coverage, this.sketch));
    pane.setAttention(this.attention);
    pane.setHeat(this.heatOn ? this.heat : null);
    return this.follow(pane);
  }

  private follow(pane: Pane): Pane {
    pane.cell.addEventListener("focusin", () => this.activate(pane));
    pane.section.addEventListener("pointerdown", () => this.activate(pane));
    return pane;
  }

  /** After a click with the mouse, Space and Enter belong to the pictures again, not to the button. */
  private release(event: MouseEvent): void {
    if (event.detail > 0 && event.target instanceof Element && event.target.closest("button")) this.focus();
  }

  private activate(pane: Pane): void {
    this.active = pane;
    const several = this.visible.length + this.prior.panes.length > 1;
    for (const other of this.panes) other.activate(other === pane && several);
    this.changed(pane);
  }

  private arrange(): void {
    this.grid.arrange(...shape(this.layout));
    this.layouts.value = this.layout;
  }

  /** Another layout: panes that come back are as they were, new ones take the clips that hang nowhere yet. */
  private relayout(layout: Layout | null = this.chosen): void {
    this.chosen = layout;
    this.arrange();
    const hung = this.visible.map((pane) => pane.clip);
    fillIn(this.study.clips, hung).forEach((clip, at) => {
      if (!hung[at]) void this.visible[at]?.show(clip);
    });
    const there = this.visible.includes(this.active) || this.prior.panes.includes(this.active);
    this.activate(there ? this.active : (this.visible[0] as Pane));
    void this.prior.arrange(shape(this.layout)[1]);
    this.load();
  }

  private drop(sop: string, pane: Pane): void {
    const clip = this.study.clips.find((each) => each.sop_uid === sop);
    if (!clip) return;
    this.activate(pane);
    this.choose(clip, 1, pane);
    this.focus();
  }

  private async nameView(): Promise<void> {
    const { clip } = this.own;
    const choice = clip && (await askView(clip));
    if (!clip || !choice) return;
    try {
      const said = await api.patch<{ clip: Clip; notes: string[] }>(`/api/v1/studies/${this.study.study_uid}/clips/${clip.sop_uid}/view/`, { ...choice });
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

  private choosing(layout: Layout): void {
    this.relayout(layout);
    polite(`Layout ${layoutName(layout)}`);
  }

  private rearrange(direction: "left" | "right" | "up" | "down"): void {
    const holder = this.prior.panes.includes(this.active) ? this.prior.grid : this.grid;
    if (holder.move(this.active, direction)) polite(`View moved ${direction}`);
    this.focus();
  }

  // ---------- the prior ----------

  /** Show an earlier study beneath, or take it away; with no study named, the latest one. */
  async togglePrior(prior: Prior | undefined = this.study.priors[0]): Promise<void> {
    if (!prior) return;
    const shown = await this.prior.toggle(prior, shape(this.layout)[1]);
    if (!shown && !this.visible.includes(this.active)) this.activate(this.visible[0] as Pane);
    this.load();
    polite(shown ? this.prior.said : "Prior taken away");
  }

  private shown(pane: Pane): void {
    if (pane.clip) this.film.drawCoverage(pane.clip);
    this.options.seen();
  }

  private changed(pane: Pane): void {
    this.film.mark(this.visible.map((each) => each.clip?.sop_uid));
    this.prior.mark();
    if (this.grid.panes.includes(pane)) this.markPane(pane);
    if (pane !== this.active) return;
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
    const next = neighbour(this.prior.clipsOf(this.active) ?? this.study.clips, this.active.clip, step);
    if (!next) return;
    this.choose(next, 1, this.active);
    polite(`Clip ${next.number}, ${next.label}`);
  }

  // ---------- frames ahead ----------

  private load(): void {
    const { code } = this;
    // The first pictures have the line to themselves.
    if (!code || !this.ready) return;
    const order = [this.active, ...[...this.visible, ...this.prior.panes].filter((pane) => pane !== this.active)];
    this.prefetcher.focus(order.flatMap((pane) => pane.imagesWanted()));
    // The first frame of every clip before the rest of any, so that going to another clip shows it at once.
    const clips = this.study.clips.filter(playable).map((clip) => code.imagesOf(clip));
    // Of the next study its first pictures before the rest of this one; more of it when this one is all here.
    const [first, more] = this.nextFrames(code);
    this.prefetcher.background([...clips.map((images) => images[0] ?? ""), ...first, ...clips.flatMap((images) => images.slice(1)), ...more]);
  }

  private nextFrames(code: Screens): [string[], string[]] {
    if (!this.next) return [[], []];
    const clips = this.next.clips.filter(playable).map((clip) => [clip, code.imagesOf(clip, true)] as const);
    const hung = hang(this.next.clips, this.visible.length);
    const first = clips.filter(([clip]) => hung.includes(clip)).map(([, images]) => images[0] ?? "");
    const more = [...clips.map(([, images]) => images[0] ?? ""), ...clips.filter(([clip]) => hung.includes(clip)).flatMap(([, images]) => images)];
    return [first, more];
  }

  /** The study that is opened after this one: load its first pictures while this one is read. */
  loadNext(next: Study | null): void {
    if (next?.study_uid === this.next?.study_uid) return;
    this.code?.forgetAhead();
    this.next = next;
    this.load();
  }

  // ---------- tools and keys ----------

  private tools(): HTMLElement {
    LAYOUTS.forEach((layout) => this.layouts.append(h("option", { value: layout }, layoutName(layout))));
    this.layouts.value = this.layout;
    this.layouts.addEventListener("change", () => this.choosing(this.layouts.value as Layout));
    const tool = (label: string, key: string, run: () => void) => h("button", { class: "btn btn-quiet", type: "button", onclick: run }, `${label} `, cap(key));
    return h(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Picture" },
      tool("Measure", "V", () => this.dock.toggle()),
      ...this.looking.tools(),
      tool("Window 2", "F2", () => this.toSecondWindow()),
      tool("View", "J", () => void this.nameView()),
      h("label", { class: "field right-end" }, h("span", { "aria-hidden": "true" }, "Layout"), this.layouts, cap("G")),
    );
  }

  /** The prior, or with none shown the film, to a second window and back. */
  private toSecondWindow(): void {
    const prior = this.prior.panes.length > 0;
    this.second.toggle(prior ? "Prior" : "Clips", prior ? [this.prior.element, this.prior.film] : [this.side]);
  }

  private fit(): void {
    for (const pane of this.panes) pane.rename();
    this.redrawCoverage();
    this.focus();
  }

  private bindKeys(): void {
    const group = "Viewer";
    // The slider's own arrows keep its semantics.
    const off = (event: Event, run: () => void) => (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement ? false : void run());
    const several = () => this.visible.length + this.prior.panes.length > 1;
    const keys: Binding[] = [
      ...cineKeys({ active: () => this.active, every: () => [...this.visible, ...this.prior.panes] }),
      { key: "ArrowUp", caps: ["↑", "↓"], label: "Clip", group, run: (event) => off(event, () => this.moveClip(-1)) },
      { key: "ArrowDown", label: "Next clip", group, bar: false, run: (event) => off(event, () => this.moveClip(1)) },
      ...this.looking.keys(),
      ...this.dock.keys(),
      { key: "j", label: "Name the view", group, bar: false, run: () => void this.nameView() },
      { key: "F2", label: "Second window", group, bar: false, run: () => this.toSecondWindow() },
      { key: "g", label: "Layout", group, bar: false, run: () => this.choosing(nextLayout(this.layout)) },
      ...(["left", "right", "up", "down"] as const).map((direction) => ({
        key: `Ctrl+Shift+Arrow${direction.charAt(0).toUpperCase()}${direction.slice(1)}`, label: `Move this view ${direction}`, group, bar: false, run: () => this.rearrange(direction), when: several,
      })),
      // Tab is the browser's own: the panes follow each other in the page.
      { key: "Tab", label: "Other view", group, run: () => false, when: several },
    ];
    if (this.study.priors.length) keys.push({ key: "p", label: "Prior", group, run: () => void this.togglePrior() });
    this.unbind.push(...keys.map(bind));
  }
}
