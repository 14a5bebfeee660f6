/** What a pane shows over its picture and lets a hand do there: drawings, their text, the lens. */

import { h } from "../../common/dom";
import { type Drawing, dragged, nameOf } from "../annotation/drawing";
import type { Board, Grip, Sketcher } from "../annotation/drawing-editor";
import type { Box } from "../annotation/label-placement";
import type { Point } from "../annotation/measure";
import { DrawingLayer } from "../annotation/svg-layer";
import type { Clip } from "../types";
import type { Screen } from "./cornerstone-viewport";
import { Magnifier } from "./magnifier";

export interface Host {
  box: HTMLElement;
  screen: () => Screen | null;
  clip: () => Clip | null;
  /** From 1. */
  frame: () => number;
  /** That frame is on the screen. */
  shown: () => boolean;
  pause: () => void;
  /** What is written on the picture, in pixels from the corner of the box. */
  taken: () => Box[];
}

const MAX_LABEL = 200;

export class Easel {
  readonly lens: Magnifier;
  private readonly layer: DrawingLayer;
  private readonly writing = h("input", {
    class: "writing",
    type: "text",
    maxlength: MAX_LABEL,
    hidden: true,
    "aria-label": "Text of the arrow",
    placeholder: "Text, then Enter",
  });
  private written: Drawing | null = null;
  private hidden = false;

  constructor(
    private readonly host: Host,
    private readonly sketch: Sketcher,
  ) {
    this.layer = new DrawingLayer({
      nudge: (drawing, index, by) => this.nudge(drawing, index, by),
      erase: (drawing) => this.sketch.erase(drawing.uid),
    });
    this.lens = new Magnifier(host.box, () => {
      const screen = host.screen();
      return screen?.ready ? { picture: screen.picture, matrix: screen.matrix } : null;
    });
    host.box.append(this.layer.element, this.writing, this.lens.element);
    this.writing.addEventListener("change", () => this.write());
    this.writing.addEventListener("blur", () => this.write());
    this.writing.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape") this.writing.value = this.written?.label ?? "";
      this.write();
    });
    this.writing.addEventListener("pointerdown", (event) => event.stopPropagation());
  }

  /** Overlays off: the picture alone. */
  hide(on: boolean): void {
    this.hidden = on;
    this.draw();
  }

  draw(): void {
    this.lens.draw();
    const { sketch } = this;
    const clip = this.host.clip();
    const board = this.board();
    if (!clip || !board || this.hidden) return this.layer.draw(null);
    const { selected, armed, editable } = sketch;
    const drawings = sketch.on(clip.sop_uid, board.frame);
    if (!drawings.length && !armed) return this.layer.draw(null);
    const { clientWidth: width, clientHeight: height } = this.host.box;
    const held = sketch.live?.uid ?? null;
    this.layer.draw({
      drawings,
      selected: held ?? selected,
      held,
      armed,
      editable,
      by: sketch.by,
      regions: clip.regions,
      frame: board.frame,
      width,
      height,
      taken: this.host.taken(),
      toScreen: board.toScreen,
    });
  }

  grab(at: Point, event: PointerEvent): Grip | null {
    const { sketch } = this;
    if (sketch.by || this.hidden) return null;
    if (sketch.armed) this.host.pause();
    const board = this.board();
    return board && sketch.grab(board, at, event);
  }

  hover(at: Point): void {
    const board = this.sketch.live ? this.board() : null;
    if (board) this.sketch.hover(board, at);
  }

  /** Ask for the text of a drawing, beside it. */
  name(drawing: Drawing): void {
    const board = this.board();
    const at = board?.toScreen(drawing.points.at(-1) ?? [0, 0]);
    if (!at) return;
    this.written = drawing;
    this.writing.value = drawing.label;
    this.writing.style.left = `${Math.max(0, Math.min(at[0], this.host.box.clientWidth - 180))}px`;
    this.writing.style.top = `${Math.max(0, Math.min(at[1] + 6, this.host.box.clientHeight - 30))}px`;
    this.writing.setAttribute("aria-label", `Text of: ${nameOf(drawing)}`);
    this.writing.hidden = false;
    this.writing.focus();
  }

  private write(): void {
    const drawing = this.written && this.sketch.get(this.written.uid);
    this.written = null;
    if (this.writing.hidden) return;
    this.writing.hidden = true;
    const label = this.writing.value.trim();
    if (drawing && drawing.label !== label) this.sketch.put({ ...drawing, label });
    this.host.box.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
  }

  private nudge(drawing: Drawing, index: number, by: Point): void {
    const [dx, dy] = this.host.screen()?.turned([by[0], by[1]]) ?? by;
    const point = drawing.points[index];
    if (point)
      this.sketch.put(
        { ...drawing, points: dragged(drawing.tool, drawing.points, index, [point[0] + dx, point[1] + dy]) },
        `nudge ${drawing.uid} ${index}`,
      );
  }

  private board(): Board | null {
    const screen = this.host.screen();
    const clip = this.host.clip();
    // A pane that is hidden has no size, and nowhere to put a point.
    if (!screen?.ready || !clip || !this.host.shown() || !this.host.box.clientWidth) return null;
    return {
      sop: clip.sop_uid,
      frame: this.host.frame(),
      toImage: (at) => screen.imageAt([at[0], at[1]]),
      toScreen: ([x, y]) => screen.place(x, y) ?? [0, 0],
    };
  }
}
