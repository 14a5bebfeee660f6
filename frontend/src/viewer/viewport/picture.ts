/** The picture of a pane: which frame is shown and how it is looked at, with everything that lies over it. */

import { polite } from "../../common/announce";
import { type Child, fill, h, icon } from "../../common/dom";
import { type HeatMaps, HeatOverlay } from "../attention/heat-map";
import { DwellTime } from "../coverage/dwell-time";
import { type Clip, playable } from "../types";
import type { CornerstoneViewport } from "./cornerstone-viewport";
import { listenToGestures } from "./gestures";
import type { Orientation } from "./orientation";
import { OrientationMarkers } from "./orientation-markers";
import { PaneOverlay } from "./pane-overlay";
import { DEFAULT_PRESENTATION, type PresentationState, type Window } from "./presentation-state";
import type { ViewerServices } from "./viewer-services";

export interface PictureHost {
  services: ViewerServices;
  /** Carries the data attributes that styles and tests read. */
  section: () => HTMLElement;
  /** Index from 0 of the frame to show. */
  index: () => number;
  pause: () => void;
  step: (frames: number) => void;
  /** The clip's frames are known: they can be loaded. */
  framesKnown: () => void;
  /** A frame is seen for the first time. */
  frameShown: () => void;
  /** Whether the page is in front, and this view the one at work. */
  looking: () => boolean;
  /** Window, gamma, inversion or orientation has changed. */
  presentationChanged: () => void;
}

export class Picture {
  readonly element: HTMLElement;
  /**
   * What has the focus: a slider over the frames, so that a screen reader hands on the keys, says each frame once, and
   * reads what else is on the page as usual. An `application` is left out by some, and nothing in it is reached by
   * others.
   */
  readonly focusable = h("div", { class: "hold", tabindex: 0, role: "slider", "aria-orientation": "horizontal" });
  readonly overlay: PaneOverlay;
  images: string[] = [];
  private clip: Clip | null = null;
  private viewport: CornerstoneViewport | null = null;
  private hasStack = false;
  private clipSerial = 0;
  private onScreen = true;
  private heat: HeatMaps | null = null;
  /** The frame (from 1) that is really on the screen; null while it is not the one that is wanted. */
  shown: number | null = null;
  private readonly box = h("div", { class: "screen" });
  private readonly orientationMarkers = new OrientationMarkers();
  private readonly cover = h("div", { class: "cover", hidden: true });
  private readonly heatOverlay = new HeatOverlay();
  private readonly dwell: DwellTime;

  constructor(
    title: string,
    private readonly host: PictureHost,
  ) {
    this.dwell = new DwellTime(host.services.coverage, host.looking);
    this.element = h(
      "div",
      { class: "pix", tabindex: -1 },
      this.focusable,
      this.box,
      ...this.orientationMarkers.elements,
    );
    this.element.addEventListener("focus", () => this.focusable.focus({ preventScroll: true }));
    this.setName(title, 0, 0, "no clip");
    this.box.append(this.heatOverlay.element, this.cover);
    this.overlay = new PaneOverlay(
      {
        box: this.box,
        viewport: () => this.viewport,
        clip: () => this.clip,
        frame: () => this.frame,
        shown: () => this.shown === this.frame,
        pause: () => host.pause(),
        occupied: () => this.orientationMarkers.boxesIn(this.box),
      },
      host.services.drawingEditor,
    );
  }

  private get frame(): number {
    return this.host.index() + 1;
  }

  /** The accessible name and value; screen readers announce `text` whenever it changes. */
  setName(words: string, frame: number, frames: number, text: string): void {
    const facts = {
      "aria-label": words,
      "aria-valuemin": Math.min(1, frames),
      "aria-valuemax": frames,
      "aria-valuenow": frame,
      "aria-valuetext": text,
    };
    for (const [name, value] of Object.entries(facts))
      if (this.focusable.getAttribute(name) !== String(value)) this.focusable.setAttribute(name, String(value));
  }

  get presentation(): PresentationState {
    return this.viewport?.presentation ?? DEFAULT_PRESENTATION;
  }

  /** Replace the clip; everything of the one before is dropped. */
  setClip(clip: Clip | null): void {
    this.clipSerial += 1;
    this.clip = clip;
    this.images = [];
    this.hasStack = false;
    this.clearShown();
  }

  /**
   * Show the frame that is wanted; true once it, or why it cannot be shown,
   * is there and nothing else was hung meanwhile.
   */
  async open(): Promise<boolean> {
    const { clip, clipSerial } = this;
    if (!clip || !playable(clip)) {
      this.showReason(clip ? clip.decode_error || "This clip has no pictures." : "");
      return false;
    }
    const viewports = await this.host.services.viewports;
    if (clipSerial !== this.clipSerial) return false;
    this.images = viewports.imagesOf(clip);
    if (!this.viewport) this.attachViewport(new viewports.CornerstoneViewport(this.box));
    this.host.framesKnown();
    await this.paint();
    return clipSerial === this.clipSerial;
  }

  /** What could not be shown may be there now. */
  retry(): void {
    const id = this.images[this.host.index()];
    if (
      !this.cover.hidden &&
      this.cover.dataset["wait"] === undefined &&
      id !== undefined &&
      this.host.services.prefetcher.has(id)
    )
      void this.paint();
  }

  /** What is not on the screen does not count as seen. */
  setVisible(on: boolean): void {
    this.onScreen = on;
    if (on) return void this.paint();
    this.countTime();
    this.dwell.clear();
  }

  /** The picture is in another window now. */
  windowChanged(): void {
    this.viewport?.windowChanged();
  }

  /** Add the time that the frame on the screen has been shown to the coverage. */
  countTime(): void {
    if (this.dwell.countTime()) this.host.frameShown();
  }

  close(): void {
    this.countTime();
    this.clipSerial += 1;
    this.viewport?.close();
  }

  // ---------- how it is looked at ----------

  /** Returns the magnification; 1 is fitted to the box. */
  zoom(factor: number): number {
    this.viewport?.zoom(factor);
    return this.viewport?.zoomed ?? 1;
  }

  pan(dx: number, dy: number): void {
    this.viewport?.pan(dx, dy);
  }

  setWindow(window: Window): void {
    this.setPresentation({ window });
  }

  invert(): void {
    this.setPresentation({ inverted: !this.presentation.inverted });
  }

  orient(orientation: Orientation): void {
    this.setPresentation({ orientation });
  }

  /** Kept for this clip, wherever it hangs next. */
  setPresentation(part: Partial<PresentationState>): void {
    this.viewport?.setPresentation(part);
    this.storePresentation();
  }

  reset(): void {
    this.viewport?.reset();
    this.storePresentation();
  }

  drawOrientation(): void {
    this.host.section().dataset["orientation"] = this.orientationMarkers.draw(this.clip, this.presentation.orientation);
  }

  /** Heat maps of the study's heaviest frames, after the commit; null takes them away. */
  setHeat(maps: HeatMaps | null): void {
    this.heat = maps;
    this.drawHeat();
  }

  private storePresentation(): void {
    if (this.clip) this.host.services.presentationStates.set(this.clip.sop_uid, this.presentation);
    this.presentationShown();
  }

  private presentationShown(): void {
    this.drawOrientation();
    this.host.presentationChanged();
  }

  /** To the right widens the window, down darkens, as in every radiology viewer. */
  private level(dx: number, dy: number): void {
    const { lower, upper } = this.presentation.window;
    const width = Math.max(1, upper - lower + dx);
    const centre = (upper + lower) / 2 + dy;
    this.setWindow({ lower: centre - width / 2, upper: centre + width / 2 });
  }

  private drawHeat(): void {
    const { clip, frame, viewport } = this;
    const heatFrame = this.heat?.frames.find((each) => each.sop_uid === clip?.sop_uid && each.frame === frame) ?? null;
    this.host.section().dataset["heat"] = String(heatFrame !== null);
    this.heatOverlay.draw(heatFrame, viewport?.toScreen(0, 0) ? (x, y) => viewport.toScreen(x, y) ?? [0, 0] : null);
  }

  // ---------- which frame is shown ----------

  private attachViewport(viewport: CornerstoneViewport): void {
    this.viewport = viewport;
    viewport.onDrawn(() => {
      if (this.heat) this.drawHeat();
      this.overlay.draw();
    });
    listenToGestures(this.box, {
      startDrag: (at, event) => this.overlay.startDrag(at, event),
      hover: (at) => this.overlay.hover(at),
      zoom: (factor, at) => viewport.zoom(factor, at),
      pan: (dx, dy) => viewport.pan(dx, dy),
      level: (dx, dy) => this.level(dx, dy),
      step: (frames) => this.host.step(frames),
    });
  }

  /** While it plays a frame that is late is dropped; else the one before is not left under another's number. */
  async paint(playing = false): Promise<void> {
    const { viewport, clipSerial } = this;
    const index = this.host.index();
    if (!viewport || !this.images.length || !this.onScreen) return;
    const id = this.images[index];
    if (!playing && !viewport.has(id)) this.showWaiting();
    try {
      const failure = id === undefined ? null : this.host.services.prefetcher.reasonOf(id);
      if (failure !== null) throw new Error(failure);
      if (!this.hasStack && this.clip)
        viewport.setPresentation(this.host.services.presentationStates.get(this.clip.sop_uid));
      if (!(await (this.hasStack ? viewport.go(index) : viewport.show(this.images, index)))) return;
    } catch (error) {
      if (clipSerial === this.clipSerial && index === this.host.index())
        this.showReason(error instanceof Error ? error.message : String(error));
      return;
    }
    if (clipSerial !== this.clipSerial) return;
    if (!this.hasStack) this.presentationShown();
    this.hasStack = true;
    if (index === this.host.index()) this.painted();
  }

  private painted(): void {
    const covered = !this.cover.hidden;
    this.cover.hidden = true;
    this.shown = this.frame;
    // The same picture as before is not rendered again.
    if (covered) this.overlay.draw();
    this.host.section().dataset["shown"] = String(this.frame);
    if (this.dwell.show(this.clip, this.frame)) this.host.frameShown();
  }

  /** CSS delays its text, so that nothing flickers where frames arrive at once. */
  private showWaiting(): void {
    this.showCover([h("p", { class: "dim" }, `Frame ${this.frame} is on its way`)], true);
  }

  private showCover(what: Child[], waiting: boolean): void {
    fill(this.cover, h("div", { class: "why" }, ...what));
    this.cover.hidden = false;
    if (waiting) this.cover.dataset["wait"] = "";
    else delete this.cover.dataset["wait"];
    this.clearShown();
    this.overlay.draw();
  }

  /** Count the time of the frame on the screen, which is shown no more. */
  private clearShown(): void {
    this.dwell.countTime();
    this.dwell.clear();
    this.shown = null;
    delete this.host.section().dataset["shown"];
  }

  /** A place-holder over the picture, so that no other frame is taken for this one. */
  private showReason(reason: string): void {
    const what: Child[] = this.clip
      ? [
          icon("bad"),
          h(
            "p",
            { class: "strong" },
            this.clip.frames > 1 ? `Frame ${this.frame} cannot be shown` : "This clip cannot be shown",
          ),
          h("p", { class: "dim" }, reason),
          h(
            "p",
            { class: "small dim" },
            this.clip.frames > 1 ? "The other frames are shown where they can be." : "Other clips are not affected.",
          ),
        ]
      : [h("p", { class: "dim" }, "Nothing hangs here: choose a clip from the film.")];
    this.showCover(what, false);
    if (this.clip && this.focusable.ownerDocument.activeElement === this.focusable)
      polite(`${this.clip.frames > 1 ? `Frame ${this.frame}` : "This clip"} cannot be shown. ${reason}`);
    if (this.clip && this.host.services.coverage.markUnshowable(this.clip.sop_uid)) this.host.frameShown();
  }
}
