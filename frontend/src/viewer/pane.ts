/** One view of the study: its picture, its cine and its frame slider. */

import { type Child, fill, h, icon } from "../common/dom";
import { Cine, type Playback, type Together } from "./cine";
import { CineBar } from "./cinebar";
import { RateMeter, durations } from "./clock";
import type { Coverage } from "./coverage";
import { Easel } from "./easel";
import { follow } from "./gestures";
import { edges } from "./hanging";
import { drawHead } from "./head";
import type { Box } from "./labels";
import { type HeatMaps, HeatOverlay } from "./heat";
import { type Look, type Looks, PLAIN, type Window } from "./look";
import { type Orientation, around, words } from "./orientation";
import type { Prefetcher } from "./prefetch";
import type { Screen } from "./screen";
import type { Sketcher } from "./sketch";
import { AttentionStrip } from "./strip";
import { type Clip, type Weight, playable } from "./types";

export type Screens = typeof import("./screen");

export interface Surroundings {
  screens: Promise<Screens>;
  prefetcher: Prefetcher;
  coverage: Coverage;
  looks: Looks;
  /** What is drawn on the pictures. */
  sketch: Sketcher;
  /** The pane knows its frames: they can be loaded. */
  hung: (pane: Pane) => void;
  /** A frame came on the screen for the first time. */
  shown: (pane: Pane) => void;
  /** The pane shows another clip, plays or stops. */
  changed: (pane: Pane) => void;
  /** The clip came round once. */
  looped: (pane: Pane) => void;
}

export class Pane {
  readonly section: HTMLElement;
  /** The picture and its cine bar. */
  readonly cell: HTMLElement;
  readonly focusable: HTMLElement;
  clip: Clip | null = null;
  /** The study runs by itself: this pane goes on to the next unseen clip. */
  touring = false;

  private index = 0;
  private screen: Screen | null = null;
  private images: string[] = [];
  private stacked = false;
  private turn = 0;
  private shownFrame = 0;
  private lookedAt = 0;
  private loaded = 0;
  private attention: readonly Weight[] | null = null;
  readonly cine: Cine;
  private readonly meter = new RateMeter();

  private readonly box = h("div", { class: "screen" });
  /** Taken hold of to drag the pane elsewhere. */
  readonly handle = h("div", { class: "vp-head" });
  private readonly sides = ["left", "top", "right", "bottom"].map((where) => h("span", { class: `side ${where}` }));
  private readonly way = h("p", { class: "way", role: "note", hidden: true });
  private readonly cover = h("div", { class: "cover", hidden: true });
  private readonly overlay = new HeatOverlay();
  private heat: HeatMaps | null = null;
  private readonly strip = new AttentionStrip();
  private readonly bar: CineBar;
  private onScreen = true;
  readonly easel: Easel;

  constructor(
    readonly name: string,
    title: string,
    private readonly around: Surroundings,
    /** Says that the pictures are of another study; empty for those of the one that is read. */
    private readonly origin = "",
  ) {
    this.focusable = h("div", { class: "pix", tabindex: 0, role: "application", "aria-label": title }, this.box, ...this.sides, this.way, this.cover);
    this.box.append(this.overlay.element);
    this.easel = new Easel({ box: this.box, screen: () => this.screen, clip: () => this.clip, frame: () => this.frame, pause: () => this.pause(), taken: () => this.written() }, around.sketch);
    this.section = h("section", { class: "vp", "data-pane": name, "aria-label": title }, this.handle, this.focusable, this.strip.element);
    this.bar = new CineBar(name, title, {
      toggle: () => this.toggle(),
      go: (frame) => this.go(frame),
      playback: (part) => this.setPlayback(part),
      loop: (end) => this.loop(end),
    });
    this.cell = h("div", { class: "cell" }, this.section, this.bar.element);
    this.cine = new Cine({
      settled: (at) => this.settled(at),
      show: (at, now) => this.advance(at, now),
      current: () => this.index,
      came: () => this.around.looped(this),
      changed: () => this.cineChanged(),
    });
    this.bar.hang(null);
    this.drawButton();
    this.drawHead();
  }

  get playing(): boolean {
    return this.cine.playing;
  }

  get frame(): number {
    return this.index + 1;
  }

  get look(): Look {
    return this.screen?.look ?? PLAIN;
  }

  async show(clip: Clip | null, frame = 1): Promise<void> {
    this.pause();
    this.settle();
    this.turn += 1;
    this.clip = clip;
    this.index = Math.max(0, Math.min(frame, clip?.frames ?? 1) - 1);
    this.cine.load(clip ? durations(clip) : []);
    this.stacked = false;
    this.drawClip();
    this.around.changed(this);
    if (clip && playable(clip)) await this.open(clip, this.turn);
    else this.refuse(clip ? clip.decode_error || "This clip has no pictures." : "");
  }

  /** Frame counted from 1. Stops the cine. */
  go(frame: number): void {
    if (!this.clip) return;
    this.pause();
    this.touring = false;
    this.index = Math.max(0, Math.min(frame, this.clip.frames) - 1);
    this.drawFrame();
    void this.paint();
  }

  step(frames: number): void {
    this.go(this.frame + frames);
  }

  toggle(): void {
    if (this.cine.active) {
      this.touring = false;
      this.pause();
    } else this.play();
  }

  /** Whether there is anything that could move. */
  get movable(): boolean {
    return this.clip !== null && playable(this.clip) && this.clip.frames > 1;
  }

  play(together: Together | null = null): void {
    if (!this.clip || !playable(this.clip) || (this.clip.frames < 2 && !this.touring)) return;
    this.cine.play(together);
    this.drawButton();
  }

  pause(): void {
    this.cine.pause();
  }

  setPlayback(part: Partial<Playback>): void {
    this.cine.set(part);
    this.drawButton();
    this.drawFrame();
    this.around.changed(this);
  }

  /** Loop from or to the frame on the screen; null is the whole clip again. */
  loop(end: "first" | "last" | null): void {
    const frames = this.clip?.frames ?? 1;
    const [first, last] = this.cine.playback.range ?? [0, frames - 1];
    const range: [number, number] | null = end === null ? null : end === "first" ? [this.index, Math.max(this.index, last)] : [Math.min(this.index, first), this.index];
    this.setPlayback({ range });
  }

  /** A pane that is not on the screen neither plays nor counts as seen. */
  setVisible(on: boolean): void {
    if (on === this.onScreen) return;
    this.onScreen = on;
    if (on) return void this.paint();
    this.pause();
    this.settle();
    this.shownFrame = 0;
  }

  /** The clip's frames arrive; play begins when none is missing. */
  progress(): void {
    this.drawReadout();
    const id = this.images[this.index];
    if (!this.cover.hidden && id !== undefined && this.around.prefetcher.has(id)) void this.paint();
    this.cine.progress();
  }

  zoom(factor: number): void {
    this.screen?.zoom(factor);
  }

  pan(dx: number, dy: number): void {
    this.screen?.pan(dx, dy);
  }

  setWindow(window: Window): void {
    this.setLook({ window });
  }

  invert(): void {
    this.setLook({ inverted: !this.look.inverted });
  }

  orient(orientation: Orientation): void {
    this.setLook({ orientation });
  }

  /** Kept for this clip, wherever it hangs next. */
  setLook(part: Partial<Look>): void {
    this.screen?.setLook(part);
    this.lookChanged();
  }

  reset(): void {
    this.screen?.reset();
    this.lookChanged();
  }

  private lookChanged(): void {
    if (this.clip) this.around.looks.keep(this.clip.sop_uid, this.look);
    this.drawSides();
    this.around.changed(this);
  }

  activate(on: boolean): void {
    this.section.classList.toggle("on", on);
    this.bar.element.classList.toggle("on", on);
  }

  /** The clip's view has another name. */
  rename(): void {
    this.drawSides();
    this.drawHead();
  }

  /** The marks follow every turn and flip, and those are said on the picture. */
  private drawSides(): void {
    const [left, right] = (this.clip && edges(this.clip.view)) ?? ["", ""];
    const marks = around(this.look.orientation, [left, "", right, ""] as const);
    this.sides.forEach((side, at) => {
      side.textContent = marks[at] ?? "";
      side.hidden = !marks[at];
    });
    this.way.textContent = words(this.look.orientation);
    this.way.hidden = !this.way.textContent;
    this.section.dataset["orientation"] = this.way.textContent;
  }

  /** Turns, and the marks of sides above and below, stand on the picture itself. */
  private written(): Box[] {
    const there = [this.way, ...this.sides.filter((_, at) => at % 2)].filter(({ hidden }) => !hidden);
    if (!there.length) return [];
    const { left, top } = this.box.getBoundingClientRect();
    return there.map((each) => each.getBoundingClientRect()).map((box) => ({ x: box.left - left, y: box.top - top, w: box.width, h: box.height }));
  }

  /** Frames of the clip that carry a keyframe or a drawing. */
  setMarks(frames: readonly number[]): void {
    this.bar.setMarks(frames);
  }

  /** Heat maps of the study's heaviest frames, after the commit; null takes them away. */
  setHeat(maps: HeatMaps | null): void {
    this.heat = maps;
    this.drawHeat();
  }

  private drawHeat(): void {
    const { clip, frame, screen } = this;
    const found = this.heat?.frames.find((each) => each.sop_uid === clip?.sop_uid && each.frame === frame) ?? null;
    this.section.dataset["heat"] = String(found !== null);
    this.overlay.draw(found, screen && screen.place(0, 0) ? (x, y) => screen.place(x, y) ?? [0, 0] : null);
  }

  /** The weights of the study's frames, after the commit; null takes them away. */
  setAttention(attention: readonly Weight[] | null): void {
    this.attention = attention;
    this.drawAttention();
    this.drawHead();
  }

  imagesWanted(): string[] {
    return [...this.images.slice(this.index), ...this.images.slice(0, this.index)];
  }

  drawCoverage(): void {
    this.bar.drawCoverage(this.around.coverage);
  }

  /** Count what is on the screen just now. */
  settle(): void {
    if (this.shownFrame) this.dwell(this.shownFrame);
  }

  close(): void {
    this.pause();
    this.settle();
    this.turn += 1;
    this.screen?.close();
  }

  // ---------- pictures ----------

  private async open(clip: Clip, turn: number): Promise<void> {
    const screens = await this.around.screens;
    if (turn !== this.turn) return;
    this.images = screens.imagesOf(clip);
    if (!this.screen) this.attach(new screens.Screen(this.box));
    this.around.hung(this);
    await this.paint();
    if (turn === this.turn) this.progress();
  }

  private attach(screen: Screen): void {
    this.screen = screen;
    screen.onDrawn(() => {
      if (this.heat) this.drawHeat();
      this.easel.draw();
    });
    follow(this.box, {
      grab: (at, event) => this.easel.grab(at, event),
      hover: (at) => this.easel.hover(at),
      zoom: (factor, at) => screen.zoom(factor, at),
      pan: (dx, dy) => screen.pan(dx, dy),
      level: (dx, dy) => this.level(dx, dy),
      step: (frames) => this.step(frames),
    });
  }

  /** To the right widens the window, down darkens, as in every radiology viewer. */
  private level(dx: number, dy: number): void {
    const { lower, upper } = this.look.window;
    const width = Math.max(1, upper - lower + dx);
    const centre = (upper + lower) / 2 + dy;
    this.setWindow({ lower: centre - width / 2, upper: centre + width / 2 });
  }

  private async paint(): Promise<void> {
    const { screen, turn, index } = this;
    if (!screen || !this.images.length || !this.onScreen) return;
    try {
      if (this.stacked) await screen.go(index);
      else {
        if (this.clip) screen.setLook(this.around.looks.of(this.clip.sop_uid));
        await screen.show(this.images, index);
      }
    } catch (error) {
      if (turn === this.turn && index === this.index) this.refuse(error instanceof Error ? error.message : String(error));
      return;
    }
    if (turn !== this.turn) return;
    if (!this.stacked) this.lookShown();
    this.stacked = true;
    if (index === this.index) this.painted();
  }

  private lookShown(): void {
    this.drawSides();
    this.around.changed(this);
  }

  private painted(): void {
    this.cover.hidden = true;
    this.section.dataset["shown"] = String(this.frame);
    if (this.dwell(this.frame)) this.around.shown(this);
  }

  /** A place-holder over the picture, so that no other frame is taken for this one. */
  private refuse(reason: string): void {
    const what: Child[] = this.clip
      ? [icon("bad"), h("p", { class: "strong" }, this.clip.frames > 1 ? `Frame ${this.frame} cannot be shown` : "This clip cannot be shown"), h("p", { class: "dim" }, reason), h("p", { class: "small dim" }, "The rest of the study can be read.")]
      : [h("p", { class: "dim" }, "Nothing hangs here: choose a clip from the film.")];
    fill(this.cover, h("div", { class: "why" }, ...what));
    this.cover.hidden = false;
    this.shownFrame = 0;
    delete this.section.dataset["shown"];
  }

  /** Count the time that the frame before was looked at. True where this frame is seen for the first time. */
  private dwell(frame: number): boolean {
    const now = performance.now();
    const { clip, shownFrame, lookedAt } = this;
    if (clip && shownFrame && !document.hidden) this.around.coverage.look(clip.sop_uid, shownFrame, now - lookedAt);
    this.lookedAt = now;
    this.shownFrame = frame;
    return clip !== null && !document.hidden && this.around.coverage.see(clip.sop_uid, frame);
  }

  // ---------- cine ----------

  private settled(index: number): boolean {
    const id = this.images[index];
    return id !== undefined && this.around.prefetcher.settled(id);
  }

  private cineChanged(): void {
    if (this.cine.playing) this.meter.reset();
    this.drawButton();
    this.drawFrame();
    this.around.changed(this);
  }

  /** The frame that is due, if it can be shown; frames between are dropped, never queued. */
  private advance(due: number, now: number): boolean {
    const id = this.images[due];
    if (id === undefined || !this.around.prefetcher.has(id)) return false;
    this.index = due;
    this.meter.tick(now);
    this.drawFrame();
    void this.paint();
    return true;
  }

  // ---------- text ----------

  private drawClip(): void {
    this.images = [];
    this.loaded = 0;
    this.shownFrame = 0;
    const clip = this.clip;
    this.section.dataset["clip"] = clip ? String(clip.number) : "";
    this.section.dataset["sop"] = clip?.sop_uid ?? "";
    delete this.section.dataset["shown"];
    delete this.section.dataset["fpsMeasured"];
    this.bar.hang(clip);
    this.rename();
    this.drawAttention();
    this.drawButton();
    this.drawFrame();
  }

  private drawHead(): void {
    drawHead(this.handle, this.clip, this.origin, this.strip.noteOf(this.frame));
  }

  private get state() {
    return { clip: this.clip, frame: this.frame, loaded: this.countLoaded(), active: this.cine.active, playback: this.cine.playback };
  }

  private drawFrame(): void {
    this.section.dataset["frame"] = String(this.frame);
    this.section.dataset["playing"] = String(this.playing);
    // A screen reader that follows the name would speak without end during play.
    this.bar.draw(this.state, this.playing);
    const fps = this.playing ? this.meter.fps : null;
    if (fps !== null) this.section.dataset["fpsMeasured"] = fps.toFixed(1);
    this.drawCoverage();
    if (this.attention) this.followAttention();
    if (this.playing) return;
    const where = this.origin ? `${this.origin}: ` : "";
    this.focusable.setAttribute("aria-label", this.clip ? `${where}${this.clip.label}, frame ${this.frame} of ${this.clip.frames}` : `${where}No clip`);
  }

  private drawReadout(): void {
    this.bar.drawReadout(this.state);
  }

  private countLoaded(): number {
    if (this.loaded < this.images.length) this.loaded = this.images.filter((id) => this.around.prefetcher.settled(id)).length;
    this.section.dataset["loaded"] = String(this.loaded);
    return this.loaded;
  }

  private drawButton(): void {
    this.section.dataset["playing"] = String(this.playing);
    this.bar.drawPlayback(this.state);
  }

  private drawAttention(): void {
    this.strip.draw(this.clip, this.attention);
    this.followAttention();
  }

  private followAttention(): void {
    this.strip.follow(this.index);
    this.drawHead();
  }
}
