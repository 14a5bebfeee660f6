/** One view of the study: its picture, its cine and its frame slider. */

import { polite } from "../../common/announce";
import { h } from "../../common/dom";
import { AttentionStrip } from "../attention/attention-strip";
import { Cine, type CineGroup, type Playback } from "../cine/cine";
import { CineBar, speedFor } from "../cine/cine-bar";
import { frameDurations, RateMeter } from "../cine/frame-clock";
import { type Clip, playable, type Weight } from "../types";
import { orientationText } from "./orientation";
import { drawPaneHeader } from "./pane-header";
import { Picture } from "./picture";
import type { ViewerServices } from "./viewer-services";

export interface PaneHost {
  /** The clip's frames are known: they can be loaded. */
  framesKnown: (pane: Pane) => void;
  /** A frame is seen for the first time. */
  frameShown: (pane: Pane) => void;
  /** The pane shows another clip, plays or stops. */
  paneChanged: (pane: Pane) => void;
  /** The clip has played to its end. */
  clipLooped: (pane: Pane) => void;
}

export class Pane {
  readonly section: HTMLElement;
  /** The picture and its cine bar. */
  readonly cell: HTMLElement;
  readonly focusable: HTMLElement;
  readonly picture: Picture;
  clip: Clip | null = null;
  /** On the tour through the clips a still is shown for a moment, as if it played. */
  touring = false;
  /** The view that the keys go to; what the others show does not count as seen. */
  private atWork = false;

  private index = 0;
  private loaded = 0;
  private onScreen = true;
  private attention: readonly Weight[] | null = null;
  readonly cine: Cine;
  private readonly rateMeter = new RateMeter();

  /** The heading, by which the pane is dragged to another place. */
  readonly handle = h("div", { class: "vp-head" });
  private readonly attentionStrip = new AttentionStrip();
  private readonly cineBar: CineBar;
  constructor(
    readonly name: string,
    title: string,
    private readonly services: ViewerServices,
    private readonly host: PaneHost,
    /** Says that the pictures are of another study; empty for those of the one that is read. */
    private readonly origin = "",
  ) {
    this.picture = new Picture(title, {
      services,
      section: () => this.section,
      index: () => this.index,
      pause: () => this.pause(),
      step: (frames) => this.step(frames),
      framesKnown: () => this.host.framesKnown(this),
      frameShown: () => this.host.frameShown(this),
      looking: () => this.atWork && services.inFront(),
      presentationChanged: () => {
        this.drawName();
        this.host.paneChanged(this);
      },
    });
    this.focusable = this.picture.focusable;
    this.section = h(
      "section",
      { class: "vp", "data-pane": name, "aria-label": title },
      this.handle,
      this.picture.element,
      this.attentionStrip.element,
    );
    this.cineBar = new CineBar(name, title, {
      toggle: () => this.toggle(),
      go: (frame) => this.go(frame),
      playback: (part) => this.setPlayback(part),
      loop: (end) => this.loop(end),
    });
    this.cell = h("div", { class: "cell" }, this.section, this.cineBar.element);
    this.cine = new Cine({
      settled: (at) => this.settled(at),
      show: (at, now) => this.advance(at, now),
      current: () => this.index,
      looped: () => this.host.clipLooped(this),
      changed: () => this.cineChanged(),
    });
    this.cineBar.setClip(null);
    this.drawButton();
    this.drawHeader();
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
    this.countTime();
    this.clip = clip;
    this.picture.setClip(clip);
    this.index = Math.max(0, Math.min(frame, clip?.frames ?? 1) - 1);
    this.cine.load(clip ? frameDurations(clip) : [], speedFor(clip, this.cine.playback.speed));
    this.drawClip();
    this.host.paneChanged(this);
    if (await this.picture.open()) this.progress();
  }

  /** Frame counted from 1. Stops the cine. */
  go(frame: number): void {
    if (!this.clip) return;
    this.pause();
    this.index = Math.max(0, Math.min(frame, this.clip.frames) - 1);
    this.drawFrame();
    void this.picture.paint();
  }

  step(frames: number): void {
    this.go(this.frame + frames);
  }

  toggle(): void {
    if (this.cine.active) this.pause();
    else this.play();
    if (this.movable) polite(this.cine.active ? "Plays" : "Stopped");
  }

  /** Whether there is anything that could move. */
  get movable(): boolean {
    return this.clip !== null && playable(this.clip) && this.clip.frames > 1;
  }

  play(group: CineGroup | null = null): void {
    if (!this.clip || !playable(this.clip) || (this.clip.frames < 2 && !this.touring)) return;
    this.cine.play(group);
    this.drawButton();
  }

  pause(): void {
    this.cine.pause();
  }

  setPlayback(part: Partial<Playback>): void {
    this.cine.set(part);
    this.drawButton();
    this.drawFrame();
    this.host.paneChanged(this);
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
    this.picture.retry();
    this.cine.progress();
  }

  setAtWork(on: boolean): void {
    if (on === this.atWork) return;
    this.atWork = on;
    this.countTime();
  }

  activate(on: boolean): void {
    this.section.classList.toggle("on", on);
    this.cineBar.element.classList.toggle("on", on);
  }

  /** The clip's view has another name. */
  rename(): void {
    this.picture.drawOrientation();
    this.drawHeader();
    this.drawName();
  }

  /** Frames of the clip that carry a keyframe or a drawing. */
  setMarks(frames: readonly number[]): void {
    this.cineBar.setMarks(frames);
  }

  /** The weights of the study's frames, after the commit; null takes them away. */
  setAttention(attention: readonly Weight[] | null): void {
    this.attention = attention;
    this.drawAttention();
    this.drawHeader();
  }

  imagesWanted(): string[] {
    const { images } = this.picture;
    return [...images.slice(this.index), ...images.slice(0, this.index)];
  }

  drawCoverage(): void {
    this.cineBar.drawCoverage(this.services.coverage);
  }

  /** Add the time that the frame on the screen has been shown to the coverage. */
  countTime(): void {
    this.picture.countTime();
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
    if (this.cine.playing) this.rateMeter.reset();
    this.drawButton();
    this.drawFrame();
    this.host.paneChanged(this);
  }

  /** The frame that is due, if it can be shown; frames between are dropped, never queued. */
  private advance(due: number, now: number): boolean {
    const id = this.picture.images[due];
    if (id === undefined || !this.services.prefetcher.has(id)) return false;
    this.index = due;
    this.rateMeter.tick(now);
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
    this.cineBar.setClip(clip);
    this.rename();
    this.drawAttention();
    this.drawButton();
    this.drawFrame();
  }

  private drawHeader(): void {
    drawPaneHeader(this.handle, this.clip, this.frame, this.origin, this.attentionStrip.weightNote(this.frame));
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
    this.cineBar.draw(this.state, this.playing);
    const fps = this.playing ? this.rateMeter.fps : null;
    if (fps !== null) this.section.dataset["fpsMeasured"] = fps.toFixed(1);
    this.drawCoverage();
    if (this.attention) this.followAttention();
    else if (this.clip?.flow_frames.length || this.clip?.regions.some(({ frames }) => frames)) this.drawHeader();
    this.drawName();
  }

  /** Which clip and frame it is, and how it is turned, for those who hear it. */
  private drawName(): void {
    // A screen reader that follows it would speak without end during play.
    if (this.playing) return;
    const { clip, frame } = this;
    const name = [this.origin ? `${this.origin}: ` : "", clip ? `${clip.label}, clip ${clip.number}` : "no clip"].join(
      "",
    );
    const turned = orientationText(this.picture.presentation.orientation).toLowerCase();
    const text = clip
      ? [clip.frames > 1 ? `frame ${frame} of ${clip.frames}` : "still", this.attentionStrip.weightNote(frame)]
      : ["nothing hangs here"];
    this.picture.setName(
      [name, turned].filter(Boolean).join(", "),
      clip ? frame : 0,
      clip?.frames ?? 0,
      text.filter(Boolean).join(", "),
    );
  }

  private drawReadout(): void {
    this.cineBar.drawReadout(this.state);
  }

  private countLoaded(): number {
    if (this.loaded < this.picture.images.length)
      this.loaded = this.picture.images.filter((id) => this.services.prefetcher.settled(id)).length;
    this.section.dataset["loaded"] = String(this.loaded);
    return this.loaded;
  }

  private drawButton(): void {
    this.section.dataset["playing"] = String(this.playing);
    this.cineBar.drawPlayback(this.state);
  }

  private drawAttention(): void {
    this.attentionStrip.draw(this.clip, this.attention);
    this.followAttention();
  }

  private followAttention(): void {
    this.attentionStrip.follow(this.index);
    this.drawHeader();
  }
}
