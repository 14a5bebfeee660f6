/** One view of the study: its picture, its cine and its frame slider. */

import { polite } from "../../common/announce";
import { h } from "../../common/dom";
import { AttentionStrip } from "../attention/attention-strip";
import { Cine, type Playback, type Together } from "../cine/cine";
import { CineBar, speedFor } from "../cine/cine-bar";
import { durations, RateMeter } from "../cine/frame-clock";
import { type Clip, playable, type Weight } from "../types";
import { words as orientationWords } from "./orientation";
import { drawHead } from "./pane-header";
import { Picture } from "./picture";
import type { ViewerServices } from "./viewer-services";

export interface PaneCallbacks {
  /** The clip's frames are known: they can be loaded. */
  hung: (pane: Pane) => void;
  /** A frame is on the screen for the first time. */
  shown: (pane: Pane) => void;
  /** The pane shows another clip, plays or stops. */
  changed: (pane: Pane) => void;
  /** The clip has played to its end. */
  looped: (pane: Pane) => void;
}

export class Pane {
  readonly section: HTMLElement;
  /** The picture and its cine bar. */
  readonly cell: HTMLElement;
  readonly focusable: HTMLElement;
  readonly picture: Picture;
  clip: Clip | null = null;
  /** The study runs by itself: this pane goes on to the next unseen clip. */
  touring = false;

  private index = 0;
  private loaded = 0;
  private onScreen = true;
  private attention: readonly Weight[] | null = null;
  readonly cine: Cine;
  private readonly meter = new RateMeter();

  /** Taken hold of to drag the pane elsewhere. */
  readonly handle = h("div", { class: "vp-head" });
  private readonly strip = new AttentionStrip();
  private readonly bar: CineBar;
  constructor(
    readonly name: string,
    title: string,
    private readonly services: ViewerServices,
    private readonly callbacks: PaneCallbacks,
    /** Says that the pictures are of another study; empty for those of the one that is read. */
    private readonly origin = "",
  ) {
    this.picture = new Picture(title, {
      services,
      section: () => this.section,
      index: () => this.index,
      pause: () => this.pause(),
      step: (frames) => this.step(frames),
      hung: () => this.callbacks.hung(this),
      seen: () => this.callbacks.shown(this),
      changed: () => {
        this.drawName();
        this.callbacks.changed(this);
      },
    });
    this.focusable = this.picture.focusable;
    this.section = h(
      "section",
      { class: "vp", "data-pane": name, "aria-label": title },
      this.handle,
      this.picture.element,
      this.strip.element,
    );
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
      came: () => this.callbacks.looped(this),
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

  /** Its picture has the focus. */
  get focused(): boolean {
    return this.focusable.ownerDocument.activeElement === this.focusable;
  }

  async show(clip: Clip | null, frame = 1): Promise<void> {
    this.pause();
    this.settle();
    this.clip = clip;
    this.picture.hang(clip);
    this.index = Math.max(0, Math.min(frame, clip?.frames ?? 1) - 1);
    this.cine.load(clip ? durations(clip) : [], speedFor(clip, this.cine.playback.speed));
    this.drawClip();
    this.callbacks.changed(this);
    if (await this.picture.open()) this.progress();
  }

  /** Frame counted from 1. Stops the cine. */
  go(frame: number): void {
    if (!this.clip) return;
    this.pause();
    this.touring = false;
    this.index = Math.max(0, Math.min(frame, this.clip.frames) - 1);
    this.drawFrame();
    void this.picture.paint();
  }

  step(frames: number): void {
    this.go(this.frame + frames);
  }

  toggle(): void {
    if (this.cine.active) {
      this.touring = false;
      this.pause();
    } else this.play();
    if (this.movable) polite(this.cine.active ? "Plays" : "Stopped");
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
    this.callbacks.changed(this);
  }

  /** Loop from or to the frame on the screen; null is the whole clip again. */
  loop(end: "first" | "last" | null): void {
    const frames = this.clip?.frames ?? 1;
    const [first, last] = this.cine.playback.range ?? [0, frames - 1];
    const range: [number, number] | null =
      end === null
        ? null
        : end === "first"
          ? [this.index, Math.max(this.index, last)]
          : [Math.min(this.index, first), this.index];
    this.setPlayback({ range });
  }

  /** A pane that is not on the screen neither plays nor counts as seen. */
  setVisible(on: boolean): void {
    if (on === this.onScreen) return;
    this.onScreen = on;
    if (!on) this.pause();
    this.picture.setVisible(on);
  }

  /** The clip's frames arrive; play begins when none is missing. */
  progress(): void {
    this.drawReadout();
    this.picture.again();
    this.cine.progress();
  }

  activate(on: boolean): void {
    this.section.classList.toggle("on", on);
    this.bar.element.classList.toggle("on", on);
  }

  /** The clip's view has another name. */
  rename(): void {
    this.picture.drawSides();
    this.drawHead();
    this.drawName();
  }

  /** Frames of the clip that carry a keyframe or a drawing. */
  setMarks(frames: readonly number[]): void {
    this.bar.setMarks(frames);
  }

  /** The weights of the study's frames, after the commit; null takes them away. */
  setAttention(attention: readonly Weight[] | null): void {
    this.attention = attention;
    this.drawAttention();
    this.drawHead();
  }

  imagesWanted(): string[] {
    const { images } = this.picture;
    return [...images.slice(this.index), ...images.slice(0, this.index)];
  }

  drawCoverage(): void {
    this.bar.drawCoverage(this.services.coverage);
  }

  /** Count what is on the screen just now. */
  settle(): void {
    this.picture.settle();
  }

  close(): void {
    this.pause();
    this.picture.close();
  }

  // ---------- cine ----------

  private settled(index: number): boolean {
    const id = this.picture.images[index];
    return id !== undefined && this.services.prefetcher.settled(id);
  }

  private cineChanged(): void {
    if (this.cine.playing) this.meter.reset();
    this.drawButton();
    this.drawFrame();
    this.callbacks.changed(this);
  }

  /** The frame that is due, if it can be shown; frames between are dropped, never queued. */
  private advance(due: number, now: number): boolean {
    const id = this.picture.images[due];
    if (id === undefined || !this.services.prefetcher.has(id)) return false;
    this.index = due;
    this.meter.tick(now);
    this.drawFrame();
    void this.picture.paint(true);
    return true;
  }

  // ---------- text ----------

  private drawClip(): void {
    this.loaded = 0;
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
    drawHead(this.handle, this.clip, this.frame, this.origin, this.strip.noteOf(this.frame));
  }

  private get state() {
    return {
      clip: this.clip,
      frame: this.frame,
      loaded: this.countLoaded(),
      active: this.cine.active,
      playback: this.cine.playback,
    };
  }

  private drawFrame(): void {
    this.section.dataset["frame"] = String(this.frame);
    this.section.dataset["playing"] = String(this.playing);
    this.bar.draw(this.state, this.playing);
    const fps = this.playing ? this.meter.fps : null;
    if (fps !== null) this.section.dataset["fpsMeasured"] = fps.toFixed(1);
    this.drawCoverage();
    if (this.attention) this.followAttention();
    else if (this.clip?.regions.some(({ frames }) => frames)) this.drawHead();
    this.drawName();
  }

  /** Which clip and frame it is, and how it is turned, for those who hear it. */
  private drawName(): void {
    // A screen reader that follows it would speak without end during play.
    if (this.playing) return;
    const { clip, frame } = this;
    const words = [this.origin ? `${this.origin}: ` : "", clip ? `${clip.label}, clip ${clip.number}` : "no clip"].join(
      "",
    );
    const turned = orientationWords(this.picture.look.orientation).toLowerCase();
    const text = clip
      ? [clip.frames > 1 ? `frame ${frame} of ${clip.frames}` : "still", this.strip.noteOf(frame)]
      : ["nothing hangs here"];
    this.picture.name(
      [words, turned].filter(Boolean).join(", "),
      clip ? frame : 0,
      clip?.frames ?? 0,
      text.filter(Boolean).join(", "),
    );
  }

  private drawReadout(): void {
    this.bar.drawReadout(this.state);
  }

  private countLoaded(): number {
    if (this.loaded < this.picture.images.length)
      this.loaded = this.picture.images.filter((id) => this.services.prefetcher.settled(id)).length;
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
