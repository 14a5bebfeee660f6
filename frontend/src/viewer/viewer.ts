/** The study on the screen: film, one or two panes, tools, keys, frames loaded ahead, and what was seen. */

import { polite } from "../common/announce";
import { cap, h, reducedMotion } from "../common/dom";
import { bind } from "../common/keys";
import { peaks } from "./attention";
import { Coverage } from "./coverage";
import { Film } from "./film";
import { early } from "./frames";
import { hang, neighbour, upcoming } from "./hanging";
import { Pane, type Screens } from "./pane";
import { Prefetcher } from "./prefetch";
import { type Clip, type Study, type Weight, frameUrl, playable } from "./types";

export interface Options {
  /** Panes side by side where the window is wide enough. */
  panes: 1 | 2;
  /** Coverage has grown. */
  seen: () => void;
}

interface Preset {
  name: string;
  lower: number;
  upper: number;
}

const PRESETS: readonly Preset[] = [
  { name: "As acquired", lower: 0, upper: 255 },
  { name: "More contrast", lower: 30, upper: 190 },
  { name: "Dark detail", lower: 0, upper: 130 },
  { name: "Bright detail", lower: 80, upper: 255 },
];
const WIDE = "(min-width: 1180px)";
const ZOOM = 1.25;
const PAN_PX = 40;

let screens: Promise<Screens> | null = null;

/** Begin loading the part that draws, while the study is still being asked for. */
export function loadScreens(): Promise<Screens> {
  screens ??= import("./screen");
  return screens;
}

export class Viewer {
  readonly coverage: Coverage;
  readonly film: Film;
  readonly stage = h("div", { class: "stage" });
  /** Room below the panes for what the page adds. */
  readonly lower = h("div", { class: "lower", hidden: true });

  private readonly panes: Pane[];
  private active: Pane;
  private readonly prefetcher: Prefetcher;
  private readonly unbind: (() => void)[] = [];
  private readonly presets = h("select", { "aria-label": "Window and level" });
  private readonly inverted = h("button", { class: "btn btn-quiet", type: "button", "aria-pressed": "false" }, "Invert ", cap("B"));
  private readonly wide = window.matchMedia(WIDE);
  private readonly onWide = () => this.arrange();
  private attention: readonly Weight[] | null = null;
  private peak = -1;
  private ready = false;

  constructor(
    readonly study: Study,
    private readonly options: Options,
  ) {
    this.coverage = new Coverage(study.clips);
    this.prefetcher = new Prefetcher((id) => loadScreens().then((code) => code.loadFrame(id)), { atOnce: 4, room: () => this.ready && this.hasRoom });
    this.film = new Film(study.clips, this.coverage, (clip) => this.choose(clip));
    const names = options.panes === 2 ? (["left", "right"] as const) : (["only"] as const);
    this.panes = names.map((name) => this.pane(name));
    this.active = this.panes[0] as Pane;
    this.stage.classList.toggle("single", options.panes === 1);
    this.stage.append(...this.panes.map((pane) => pane.section), ...this.panes.map((pane) => pane.controls), this.tools(), this.lower);
    for (const part of [this.film.element, this.stage]) part.addEventListener("click", (event) => this.release(event));
    this.prefetcher.watch(() => this.panes.forEach((pane) => pane.progress()));
    this.wide.addEventListener("change", this.onWide);
  }

  private get hasRoom(): boolean {
    return this.code?.roomToLoadAhead() ?? false;
  }

  private code: Screens | null = null;
  /** What hangs in each pane at the start; a pane that is not visible shows nothing and counts nothing as seen. */
  private hung: (Clip | null)[] = [];

  get current(): { clip: Clip | null; frame: number } {
    return { clip: this.active.clip, frame: this.active.frame };
  }

  /** Hang the first clips, show their first pictures, then load the rest. */
  async open(): Promise<void> {
    const { clips } = this.study;
    this.hung = hang(clips, this.options.panes);
    for (const clip of this.hung.slice(0, this.visible.length)) if (clip && playable(clip)) early(frameUrl(clip, 1));
    this.bindKeys();
    this.activate(this.active);
    this.code = await loadScreens();
    await Promise.all(this.visible.map((pane, at) => pane.show(this.hung[at] ?? null)));
    this.ready = true;
    this.film.loadThumbnails();
    this.load();
    document.documentElement.dataset["viewerReady"] = "true";
    if (!reducedMotion()) this.tour();
  }

  /** Every pane plays its share of the study once, clip after clip, until the reader takes over. */
  tour(): void {
    for (const pane of this.visible) {
      pane.touring = true;
      pane.play();
    }
  }

  choose(clip: Clip, frame = 1, pane = this.active): void {
    for (const other of this.panes) other.touring = false;
    void pane.show(clip, frame);
  }

  /** Attention is given after the commit only; null hides it. */
  setAttention(attention: readonly Weight[] | null): void {
    this.attention = attention;
    this.peak = -1;
    for (const pane of this.panes) pane.setAttention(attention);
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
    const holder = this.visible.find((pane) => pane.clip?.sop_uid === sop) ?? this.active;
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
    for (const pane of this.panes) pane.close();
    this.prefetcher.close();
    this.wide.removeEventListener("change", this.onWide);
    this.code?.clearFrames();
    delete document.documentElement.dataset["viewerReady"];
  }

  // ---------- panes ----------

  private get isWide(): boolean {
    return this.wide.matches;
  }

  private get visible(): Pane[] {
    return this.isWide ? this.panes : this.panes.slice(0, 1);
  }

  private pane(name: "left" | "right" | "only"): Pane {
    const pane: Pane = new Pane(name, {
      screens: loadScreens(),
      prefetcher: this.prefetcher,
      coverage: this.coverage,
      hung: () => this.load(),
      shown: () => this.shown(pane),
      changed: () => this.changed(pane),
      looped: () => this.looped(pane),
    });
    const take = () => this.activate(pane);
    for (const part of [pane.section, pane.controls]) part.addEventListener("focusin", take);
    pane.section.addEventListener("pointerdown", take);
    return pane;
  }

  /** After a click with the mouse, Space and Enter belong to the pictures again, not to the button. */
  private release(event: MouseEvent): void {
    if (event.detail > 0 && event.target instanceof Element && event.target.closest("button")) this.focus();
  }

  private activate(pane: Pane): void {
    this.active = pane;
    for (const other of this.panes) other.activate(other === pane && this.visible.length > 1);
    this.changed(pane);
  }

  private arrange(): void {
    const second = this.panes[1];
    if (!this.isWide) second?.pause();
    else if (second && !second.clip) void second.show(this.hung[1] ?? null);
    this.activate(this.isWide ? this.active : (this.panes[0] as Pane));
  }

  private shown(pane: Pane): void {
    if (pane.clip) this.film.drawCoverage(pane.clip);
    this.options.seen();
  }

  private changed(pane: Pane): void {
    this.film.mark(this.visible.map((each) => each.clip?.sop_uid));
    if (pane !== this.active) return;
    const { lower, upper } = pane.window;
    const preset = PRESETS.findIndex((each) => each.lower === lower && each.upper === upper);
    this.presets.value = preset < 0 ? "own" : String(preset);
    this.inverted.setAttribute("aria-pressed", String(pane.inverted));
    this.inverted.classList.toggle("on", pane.inverted);
  }

  private looped(pane: Pane): void {
    if (!pane.touring) return;
    const unseen = new Set(this.coverage.unopened());
    const share = this.visible.length < 2 ? "all" : pane.name === "right" ? "right" : "left";
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
    const next = neighbour(this.study.clips, this.active.clip, step);
    if (!next) return;
    this.choose(next);
    polite(`Clip ${next.number}, ${next.label}`);
  }

  // ---------- frames ahead ----------

  private load(): void {
    const { code } = this;
    // The first pictures have the line to themselves.
    if (!code || !this.ready) return;
    const order = [this.active, ...this.visible.filter((pane) => pane !== this.active)];
    this.prefetcher.focus(order.flatMap((pane) => pane.imagesWanted()));
    // The first frame of every clip before the rest of any, so that going to another clip shows it at once.
    const clips = this.study.clips.filter(playable).map((clip) => code.imagesOf(clip));
    this.prefetcher.background([...clips.map((images) => images[0] ?? ""), ...clips.flatMap((images) => images.slice(1))]);
  }

  // ---------- tools and keys ----------

  private tools(): HTMLElement {
    PRESETS.forEach((preset, at) => this.presets.append(h("option", { value: at }, preset.name)));
    this.presets.append(h("option", { value: "own", disabled: true }, "Own setting"));
    this.presets.addEventListener("change", () => this.preset(Number(this.presets.value)));
    this.inverted.addEventListener("click", () => this.active.invert());
    const tool = (label: string, key: string, run: () => void) => h("button", { class: "btn btn-quiet", type: "button", onclick: run }, `${label} `, cap(key));
    return h(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Picture" },
      h("label", { class: "field" }, h("span", { "aria-hidden": "true" }, "Window"), this.presets, cap("W")),
      this.inverted,
      tool("Closer", "+", () => this.active.zoom(ZOOM)),
      tool("Farther", "−", () => this.active.zoom(1 / ZOOM)),
      tool("Reset view", "Z", () => this.active.reset()),
    );
  }

  private preset(at: number): void {
    const preset = PRESETS[at];
    if (preset) this.active.setWindow(preset);
  }

  private nextPreset(): void {
    const at = Number.isNaN(Number(this.presets.value)) ? -1 : Number(this.presets.value);
    const next = (at + 1) % PRESETS.length;
    this.preset(next);
    polite(`Window: ${PRESETS[next]?.name ?? ""}`);
  }

  private bindKeys(): void {
    // The slider's own arrows, Home and End do the same and keep its semantics.
    const off = (event: Event, run: () => void) => (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement ? false : void run());
    const group = "Viewer";
    const keys: Parameters<typeof bind>[0][] = [
      { key: "Space", label: "Play", group, run: () => this.active.toggle() },
      { key: "ArrowLeft", caps: ["←", "→"], label: "Frame", group, run: (event) => off(event, () => this.active.step(-1)) },
      { key: "ArrowRight", label: "Next frame", group, bar: false, run: (event) => off(event, () => this.active.step(1)) },
      { key: "ArrowUp", caps: ["↑", "↓"], label: "Clip", group, run: (event) => off(event, () => this.moveClip(-1)) },
      { key: "ArrowDown", label: "Next clip", group, bar: false, run: (event) => off(event, () => this.moveClip(1)) },
      { key: "Home", label: "First frame", group, bar: false, run: (event) => off(event, () => this.active.go(1)) },
      { key: "End", label: "Last frame", group, bar: false, run: (event) => off(event, () => this.active.go(Infinity)) },
      { key: "w", label: "Next window preset", group, bar: false, run: () => this.nextPreset() },
      { key: "b", label: "Invert", group, bar: false, run: () => this.active.invert() },
      { key: ["+", "="], caps: ["+"], label: "Closer", group, bar: false, run: () => this.active.zoom(ZOOM) },
      { key: "-", label: "Farther", group, bar: false, run: () => this.active.zoom(1 / ZOOM) },
      { key: "z", label: "Reset view", group, bar: false, run: () => this.active.reset() },
      { key: "Shift+ArrowLeft", label: "Move the picture left", group, bar: false, run: () => this.active.pan(-PAN_PX, 0) },
      { key: "Shift+ArrowRight", label: "Move the picture right", group, bar: false, run: () => this.active.pan(PAN_PX, 0) },
      { key: "Shift+ArrowUp", label: "Move the picture up", group, bar: false, run: () => this.active.pan(0, -PAN_PX) },
      { key: "Shift+ArrowDown", label: "Move the picture down", group, bar: false, run: () => this.active.pan(0, PAN_PX) },
    ];
    // Tab is the browser's own: the panes follow each other in the page.
    if (this.options.panes === 2) keys.push({ key: "Tab", label: "Other view", group, run: () => false, when: () => this.isWide });
    this.unbind.push(...keys.map(bind));
  }
}
