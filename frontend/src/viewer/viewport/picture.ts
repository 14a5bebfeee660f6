/** The picture of a pane: which frame is shown and how it is looked at, with everything that lies over it. */

import { polite } from "../../common/announce";
import { type Child, fill, h, icon } from "../../common/dom";
import { type HeatMaps, HeatOverlay } from "../attention/heat-map";
import { Dwell } from "../coverage/dwell-time";
import { type Clip, playable } from "../types";
import type { Screen } from "./cornerstone-viewport";
import { follow } from "./gestures";
import type { Orientation } from "./orientation";
import { Sides } from "./orientation-markers";
import { Easel } from "./pane-overlay";
import { type Look, PLAIN, type Window } from "./presentation-state";
import type { ViewerServices } from "./viewer-services";

export interface PictureHost {
  services: ViewerServices;
  /** Facts for tests and styles stand on it. */
  section: () => HTMLElement;
  /** From 0: the frame that is wanted. */
  index: () => number;
  pause: () => void;
  step: (frames: number) => void;
  /** The clip's frames are known: they can be loaded. */
  hung: () => void;
  /** A frame came on the screen for the first time. */
  seen: () => void;
  /** It is looked at in another way. */
  changed: () => void;
}

export class Picture {
  readonly element: HTMLElement;
  /**
   * What has the focus: a slider over the frames, so that a screen reader hands on the keys, says each frame once, and
   * reads what else is on the page as usual. An `application` is left out by some, and nothing in it is reached by
   * others.
   */
  readonly focusable = h("div", { class: "hold", tabindex: 0, role: "slider", "aria-orientation": "horizontal" });
  readonly easel: Easel;
  images: string[] = [];
  private clip: Clip | null = null;
  private screen: Screen | null = null;
  private stacked = false;
  private turn = 0;
  private onScreen = true;
  private heat: HeatMaps | null = null;
  /** The frame (from 1) that is really on the screen; null while it is not the one that is wanted. */
  shown: number | null = null;
  private readonly box = h("div", { class: "screen" });
  private readonly sides = new Sides();
  private readonly cover = h("div", { class: "cover", hidden: true });
  private readonly overlay = new HeatOverlay();
  private readonly dwell: Dwell;

  constructor(
    title: string,
    private readonly host: PictureHost,
  ) {
    this.dwell = new Dwell(host.services.coverage);
    this.element = h("div", { class: "pix", tabindex: -1 }, this.focusable, this.box, ...this.sides.elements);
    this.element.addEventListener("focus", () => this.focusable.focus({ preventScroll: true }));
    this.name(title, 0, 0, "no clip");
    this.box.append(this.overlay.element, this.cover);
    this.easel = new Easel(
      {
        box: this.box,
        screen: () => this.screen,
        clip: () => this.clip,
        frame: () => this.frame,
        shown: () => this.shown === this.frame,
        pause: () => host.pause(),
        taken: () => this.sides.written(this.box),
      },
      host.services.drawingEditor,
    );
  }

  private get frame(): number {
    return this.host.index() + 1;
  }

  /** What is heard when the picture has the focus; `text` is said again whenever it changes. */
  name(words: string, frame: number, frames: number, text: string): void {
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

  get look(): Look {
    return this.screen?.look ?? PLAIN;
  }

  /** Another clip hangs here; what was of the one before is gone. */
  hang(clip: Clip | null): void {
    this.turn += 1;
    this.clip = clip;
    this.images = [];
    this.stacked = false;
    this.gone();
  }

  /**
   * Show the frame that is wanted; true once it, or why it cannot be shown,
   * is there and nothing else was hung meanwhile.
   */
  async open(): Promise<boolean> {
    const { clip, turn } = this;
    if (!clip || !playable(clip)) {
      this.refuse(clip ? clip.decode_error || "This clip has no pictures." : "");
      return false;
    }
    const viewports = await this.host.services.viewports;
    if (turn !== this.turn) return false;
    this.images = viewports.imagesOf(clip);
    if (!this.screen) this.attach(new viewports.Screen(this.box));
    this.host.hung();
    await this.paint();
    return turn === this.turn;
  }

  /** What could not be shown may be there now. */
  again(): void {
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
    this.settle();
    this.dwell.off();
  }

  /** It stands in another window now. */
  moved(): void {
    this.screen?.moved();
  }

  /** Count what is on the screen just now. */
  settle(): void {
    this.dwell.settle();
  }

  close(): void {
    this.settle();
    this.turn += 1;
    this.screen?.close();
  }

  // ---------- how it is looked at ----------

  /** How many times as large as it was fitted it is now. */
  zoom(factor: number): number {
    this.screen?.zoom(factor);
    return this.screen?.zoomed ?? 1;
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

  drawSides(): void {
    this.host.section().dataset["orientation"] = this.sides.draw(this.clip, this.look.orientation);
  }

  /** Heat maps of the study's heaviest frames, after the commit; null takes them away. */
  setHeat(maps: HeatMaps | null): void {
    this.heat = maps;
    this.drawHeat();
  }

  private lookChanged(): void {
    if (this.clip) this.host.services.looks.keep(this.clip.sop_uid, this.look);
    this.lookShown();
  }

  private lookShown(): void {
    this.drawSides();
    this.host.changed();
  }

  /** To the right widens the window, down darkens, as in every radiology viewer. */
  private level(dx: number, dy: number): void {
    const { lower, upper } = this.look.window;
    const width = Math.max(1, upper - lower + dx);
    const centre = (upper + lower) / 2 + dy;
    this.setWindow({ lower: centre - width / 2, upper: centre + width / 2 });
  }

  private drawHeat(): void {
    const { clip, frame, screen } = this;
    const found = this.heat?.frames.find((each) => each.sop_uid === clip?.sop_uid && each.frame === frame) ?? null;
    this.host.section().dataset["heat"] = String(found !== null);
    this.overlay.draw(found, screen?.place(0, 0) ? (x, y) => screen.place(x, y) ?? [0, 0] : null);
  }

  // ---------- which frame is shown ----------

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
      step: (frames) => this.host.step(frames),
    });
  }

  /** While it plays a frame that is late is dropped; else the one before is not left under another's number. */
  async paint(playing = false): Promise<void> {
    const { screen, turn } = this;
    const index = this.host.index();
    if (!screen || !this.images.length || !this.onScreen) return;
    const id = this.images[index];
    if (!playing && !screen.has(id)) this.wait();
    try {
      const told = id === undefined ? null : this.host.services.prefetcher.reasonOf(id);
      if (told !== null) throw new Error(told);
      if (!this.stacked && this.clip) screen.setLook(this.host.services.looks.of(this.clip.sop_uid));
      if (!(await (this.stacked ? screen.go(index) : screen.show(this.images, index)))) return;
    } catch (error) {
      if (turn === this.turn && index === this.host.index())
        this.refuse(error instanceof Error ? error.message : String(error));
      return;
    }
    if (turn !== this.turn) return;
    if (!this.stacked) this.lookShown();
    this.stacked = true;
    if (index === this.host.index()) this.painted();
  }

  private painted(): void {
    const covered = !this.cover.hidden;
    this.cover.hidden = true;
    this.shown = this.frame;
    // The same picture as before is not rendered again.
    if (covered) this.easel.draw();
    this.host.section().dataset["shown"] = String(this.frame);
    if (this.dwell.on(this.clip, this.frame)) this.host.seen();
  }

  /** Its words come late, so that nothing flickers where frames come at once. */
  private wait(): void {
    this.veil([h("p", { class: "dim" }, `Frame ${this.frame} is on its way`)], true);
  }

  private veil(what: Child[], waiting: boolean): void {
    fill(this.cover, h("div", { class: "why" }, ...what));
    this.cover.hidden = false;
    if (waiting) this.cover.dataset["wait"] = "";
    else delete this.cover.dataset["wait"];
    this.gone();
    this.easel.draw();
  }

  /** What was on the screen is counted, and is there no more. */
  private gone(): void {
    this.dwell.settle();
    this.dwell.off();
    this.shown = null;
    delete this.host.section().dataset["shown"];
  }

  /** A place-holder over the picture, so that no other frame is taken for this one. */
  private refuse(reason: string): void {
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
    this.veil(what, false);
    if (this.clip && this.focusable.ownerDocument.activeElement === this.focusable)
      polite(`${this.clip.frames > 1 ? `Frame ${this.frame}` : "This clip"} cannot be shown. ${reason}`);
    if (this.clip && this.host.services.coverage.refuse(this.clip.sop_uid)) this.host.seen();
  }
}
