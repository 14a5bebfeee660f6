/** One view of the study: its picture, its cine and its frame slider. */

import { type Child, fill, h, icon, s } from "../common/dom";
import { number } from "../common/format";
import { Cine, type Playback, Together } from "./cine";
import { RateMeter, durations } from "./clock";
import type { Coverage } from "./coverage";
import { follow } from "./gestures";
import { edges } from "./hanging";
import type { Prefetcher } from "./prefetch";
import { Ribbon } from "./ribbon";
import type { Screen, Window } from "./screen";
import { AttentionStrip } from "./strip";
import { type Clip, type Weight, playable } from "./types";

export type Screens = typeof import("./screen");

export interface Surroundings {
  screens: Promise<Screens>;
  prefetcher: Prefetcher;
  coverage: Coverage;
  /** The pane knows its frames: they can be loaded. */
  hung: (pane: Pane) => void;
  /** A frame came on the screen for the first time. */
  shown: (pane: Pane) => void;
  /** The pane shows another clip, plays or stops. */
  changed: (pane: Pane) => void;
  /** The clip came round once. */
  looped: (pane: Pane) => void;
}

const CALIBRATION = { calibrated: "calibrated", uncalibrated: "uncalibrated: no distances", mixed: "calibration differs between regions" } as const;
const FPS_SOURCE = { frame_time: "from the file", vector: "from the file, frame by frame", recommended: "recommended in the file", default: "assumed: the file states none" } as const;

/** Where the side of the picture is known from; a file that marks none is shown by convention, and says so. */
function sideNote(clip: Clip): string {
  if (clip.view === "coronal") return "R and L by convention, not marked in the file";
  if (clip.view !== "sagittal") return "";
  return /left|right|\bl\b|\br\b/i.test(clip.label) ? "side from label" : "side not stated";
}

function rate(fps: number): string {
  return `${number(fps, Number.isInteger(fps) ? 0 : 1)} fps`;
}

export class Pane {
  readonly section: HTMLElement;
  readonly controls: HTMLElement;
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
  private readonly head = h("div", { class: "vp-head" });
  private readonly left = h("span", { class: "side" });
  private readonly right = h("span", { class: "side" });
  private readonly cover = h("div", { class: "cover", hidden: true });
  private readonly strip = new AttentionStrip();
  private readonly slider = h("input", { type: "range", min: 1, max: 1, value: 1, step: 1 });
  private readonly readout = h("span", { class: "fr" });
  private readonly button = h("button", { class: "btn btn-quiet", type: "button" });
  private readonly ribbon = new Ribbon();

  constructor(
    readonly name: "left" | "right" | "only",
    private readonly around: Surroundings,
  ) {
    const title = name === "only" ? "View" : `${name === "left" ? "Left" : "Right"} view`;
    this.focusable = h("div", { class: "pix", tabindex: 0, role: "application", "aria-label": title }, this.left, this.box, this.right, this.cover);
    this.section = h("section", { class: "vp", "data-pane": name, "aria-label": title }, this.head, this.focusable, this.strip.element);
    this.controls = h("div", { class: "cine", role: "group", "aria-label": `${title}: cine`, "data-cine": name }, this.button, h("div", { class: "track" }, this.slider), this.ribbon.element, this.readout);
    this.cine = new Cine({
      settled: (at) => this.settled(at),
      show: (at, now) => this.advance(at, now),
      current: () => this.index,
      came: () => this.around.looped(this),
      changed: () => this.cineChanged(),
    });
    this.button.addEventListener("click", () => this.toggle());
    this.slider.setAttribute("aria-label", `${title}: frame`);
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.drawButton();
    this.drawHead();
  }

  get playing(): boolean {
    return this.cine.playing;
  }

  get frame(): number {
    return this.index + 1;
  }

  get window(): Window {
    return this.screen?.window ?? { lower: 0, upper: 255 };
  }

  get inverted(): boolean {
    return this.screen?.invert ?? false;
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
    this.drawFrame();
    this.around.changed(this);
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
    this.screen?.setWindow(window);
    this.around.changed(this);
  }

  invert(): void {
    this.screen?.setInvert(!this.inverted);
    this.around.changed(this);
  }

  reset(): void {
    this.screen?.reset();
    this.around.changed(this);
  }

  activate(on: boolean): void {
    this.section.classList.toggle("on", on);
    this.controls.classList.toggle("on", on);
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
    this.ribbon.draw(this.around.coverage, this.clip?.sop_uid, this.clip?.frames ?? 1);
  }

  /** Count what is on the screen just now. */
  settle(): void {
    if (this.shownFrame) this.look(this.shownFrame);
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
    follow(this.box, {
      zoom: (factor, at) => screen.zoom(factor, at),
      pan: (dx, dy) => screen.pan(dx, dy),
      level: (dx, dy) => this.level(dx, dy),
      step: (frames) => this.step(frames),
    });
  }

  /** To the right widens the window, down darkens, as in every radiology viewer. */
  private level(dx: number, dy: number): void {
    const { lower, upper } = this.window;
    const width = Math.max(1, upper - lower + dx);
    const centre = (upper + lower) / 2 + dy;
    this.setWindow({ lower: centre - width / 2, upper: centre + width / 2 });
  }

  private async paint(): Promise<void> {
    const { screen, turn, index } = this;
    if (!screen || !this.images.length) return;
    try {
      if (this.stacked) await screen.go(index);
      else await screen.show(this.images, index);
    } catch (error) {
      if (turn === this.turn && index === this.index) this.refuse(error instanceof Error ? error.message : String(error));
      return;
    }
    if (turn !== this.turn) return;
    this.stacked = true;
    if (index === this.index) this.painted();
  }

  private painted(): void {
    this.cover.hidden = true;
    this.section.dataset["shown"] = String(this.frame);
    if (this.look(this.frame)) this.around.shown(this);
  }

  /** A place-holder over the picture, so that no other frame is taken for this one. */
  private refuse(reason: string): void {
    const what: Child[] = this.clip
      ? [icon("bad"), h("p", { class: "strong" }, this.clip.frames > 1 ? `Frame ${this.frame} cannot be shown` : "This clip cannot be shown"), h("p", { class: "dim" }, reason), h("p", { class: "small dim" }, "The rest of the study can be read.")]
      : [h("p", { class: "dim" }, "Nothing hangs here: choose a clip from the film.")];
    fill(this.cover, h("div", { class: "why" }, ...what));
    this.cover.hidden = false;
    delete this.section.dataset["shown"];
  }

  /** Count the time that the frame before was looked at. True where this frame is seen for the first time. */
  private look(frame: number): boolean {
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
    this.slider.max = String(Math.max(1, clip?.frames ?? 1));
    this.slider.disabled = !clip || clip.frames < 2;
    const marks = clip ? edges(clip.view) : null;
    this.left.textContent = marks?.[0] ?? "";
    this.right.textContent = marks?.[1] ?? "";
    this.drawHead();
    this.drawAttention();
    this.drawButton();
    this.drawFrame();
  }

  private drawHead(): void {
    const clip = this.clip;
    if (!clip) return fill(this.head);
    const note = this.strip.noteOf(this.frame) || sideNote(clip);
    fill(
      this.head,
      h("p", {}, h("b", {}, clip.label), ` · clip ${clip.number}`, note ? h("span", { class: "note" }, note) : null),
      h("p", { class: "right" }, h("span", { class: `calibration ${clip.calibration}` }, CALIBRATION[clip.calibration]), clip.scorable ? null : h("span", { class: "note" }, clip.parked_reason || "not scored")),
    );
  }

  private drawFrame(): void {
    const frames = this.clip?.frames ?? 0;
    this.section.dataset["frame"] = String(this.frame);
    this.section.dataset["playing"] = String(this.playing);
    this.slider.value = String(this.frame);
    this.drawReadout();
    this.drawCoverage();
    if (this.attention) this.followAttention();
    // A screen reader that follows the name would speak without end during play.
    if (this.playing) return;
    const text = this.clip ? `frame ${this.frame} of ${frames}` : "no clip";
    this.slider.setAttribute("aria-valuetext", text);
    this.focusable.setAttribute("aria-label", this.clip ? `${this.clip.label}, ${text}` : "No clip");
  }

  private drawReadout(): void {
    const clip = this.clip;
    const loaded = this.countLoaded();
    const fps = this.playing ? this.meter.fps : null;
    if (fps !== null) this.section.dataset["fpsMeasured"] = fps.toFixed(1);
    if (!clip) return void (this.readout.textContent = "");
    if (clip.frames < 2) return void (this.readout.textContent = "still");
    if (loaded < this.images.length) return void (this.readout.textContent = `loading ${loaded} / ${clip.frames}`);
    this.readout.textContent = `${this.frame} / ${clip.frames} · ${rate(clip.fps)}${clip.fps_source === "default" ? " assumed" : ""}`;
    this.readout.title = `Frame rate ${FPS_SOURCE[clip.fps_source]}`;
  }

  private countLoaded(): number {
    if (this.loaded < this.images.length) this.loaded = this.images.filter((id) => this.around.prefetcher.settled(id)).length;
    this.section.dataset["loaded"] = String(this.loaded);
    return this.loaded;
  }

  private drawButton(): void {
    const running = this.cine.active;
    this.section.dataset["playing"] = String(this.playing);
    this.button.setAttribute("aria-disabled", String((this.clip?.frames ?? 0) < 2));
    const bars = s("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: "M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z" }));
    const play = icon("play");
    play.setAttribute("class", "icon");
    fill(this.button, running ? bars : play, h("kbd", { class: "word", "aria-hidden": "true" }, "Space"), h("span", { class: "vh" }, running ? "Pause" : "Play"));
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
