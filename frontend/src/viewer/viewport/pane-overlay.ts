/** What lies over the picture of a pane and takes the pointer there: drawings, their text, the magnifier. */

import { h } from "../../common/dom";
import { type Drawing, nameOf, withPointMoved } from "../annotation/drawing";
import type { DrawingEditor, FrameView, PointerDrag } from "../annotation/drawing-editor";
import type { Box } from "../annotation/label-placement";
import { type Point, straightened } from "../annotation/measure";
import { SvgLayer } from "../annotation/svg-layer";
import type { Clip } from "../types";
import type { CornerstoneViewport } from "./cornerstone-viewport";
import { Magnifier } from "./magnifier";

export interface PaneOverlayHost {
  box: HTMLElement;
  viewport: () => CornerstoneViewport | null;
  clip: () => Clip | null;
  /** From 1. */
  frame: () => number;
  /** That frame is on the viewport. */
  shown: () => boolean;
  pause: () => void;
  /** What is written on the picture, in pixels from the corner of the box. */
  occupied: () => Box[];
}

const MAX_LABEL = 200;

export class PaneOverlay {
  readonly lens: Magnifier;
  private readonly layer: SvgLayer;
  private readonly textField = h("input", {
    class: "writing",
    type: "text",
    maxlength: MAX_LABEL,
    hidden: true,
    "aria-label": "Text of the arrow",
    placeholder: "Text, then Enter",
  });
  private namedDrawing: Drawing | null = null;
  private hidden = false;

  constructor(
    private readonly host: PaneOverlayHost,
    private readonly drawingEditor: DrawingEditor,
  ) {
    this.layer = new SvgLayer({
      nudge: (drawing, index, by) => this.nudge(drawing, index, by),
      erase: (drawing) => this.drawingEditor.erase(drawing.uid),
    });
    this.lens = new Magnifier(host.box, () => {
      const viewport = host.viewport();
      return viewport?.ready ? { picture: viewport.picture, matrix: viewport.matrix } : null;
    });
    host.box.append(this.layer.element, this.textField, this.lens.element);
    this.textField.addEventListener("change", () => this.saveText());
    this.textField.addEventListener("blur", () => this.saveText());
    this.textField.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape") this.textField.value = this.namedDrawing?.label ?? "";
      this.saveText();
    });
    this.textField.addEventListener("pointerdown", (event) => event.stopPropagation());
  }

  /** Overlays off: the picture alone. */
  hide(on: boolean): void {
    this.hidden = on;
    this.draw();
  }

  draw(): void {
    this.lens.draw();
    const { drawingEditor } = this;
    const clip = this.host.clip();
    const view = this.frameView();
    if (!clip || !view || this.hidden) return this.layer.draw(null);
    const { selected, activeKind, editable } = drawingEditor;
    const drawings = drawingEditor.drawingsOn(clip.sop_uid, view.frame);
    if (!drawings.length && !activeKind) return this.layer.draw(null);
    const { clientWidth: width, clientHeight: height } = this.host.box;
    const moving = drawingEditor.inProgress?.uid ?? null;
    this.layer.draw({
      drawings,
      selected: moving ?? selected,
      moving,
      activeKind,
      editable,
      attribution: drawingEditor.attribution,
      regions: clip.regions,
      frame: view.frame,
      width,
      height,
      occupied: this.host.occupied(),
      toScreen: view.toScreen,
    });
  }

  startDrag(at: Point, event: PointerEvent): PointerDrag | null {
    const { drawingEditor } = this;
    if (drawingEditor.attribution || this.hidden) return null;
    if (drawingEditor.activeKind) this.host.pause();
    const view = this.frameView();
    return view && drawingEditor.startDrag(view, at, event);
  }

  hover(at: Point): void {
    const view = this.drawingEditor.inProgress ? this.frameView() : null;
    if (view) this.drawingEditor.hover(view, at);
  }

  /** Ask for the text of a drawing, beside it. */
  askText(drawing: Drawing): void {
    const view = this.frameView();
    const at = view?.toScreen(drawing.points.at(-1) ?? [0, 0]);
    if (!at) return;
    this.namedDrawing = drawing;
    this.textField.value = drawing.label;
    this.textField.style.left = `${Math.max(0, Math.min(at[0], this.host.box.clientWidth - 180))}px`;
    this.textField.style.top = `${Math.max(0, Math.min(at[1] + 6, this.host.box.clientHeight - 30))}px`;
    this.textField.setAttribute("aria-label", `Text of: ${nameOf(drawing)}`);
    this.textField.hidden = false;
    this.textField.focus();
  }

  private saveText(): void {
    const drawing = this.namedDrawing && this.drawingEditor.get(this.namedDrawing.uid);
    this.namedDrawing = null;
    if (this.textField.hidden) return;
    this.textField.hidden = true;
    const label = this.textField.value.trim();
    if (drawing && drawing.label !== label) this.drawingEditor.save({ ...drawing, label });
    this.host.box.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
  }

  private nudge(drawing: Drawing, index: number, by: Point): void {
    const [dx, dy] = this.host.viewport()?.turned([by[0], by[1]]) ?? by;
    const point = drawing.points[index];
    if (point)
      this.drawingEditor.save(
        { ...drawing, points: withPointMoved(drawing.tool, drawing.points, index, [point[0] + dx, point[1] + dy]) },
        `nudge ${drawing.uid} ${index}`,
      );
  }

  private frameView(): FrameView | null {
    const viewport = this.host.viewport();
    const clip = this.host.clip();
    // A pane that is hidden has no size, and nowhere to put a point.
    if (!viewport?.ready || !clip || !this.host.shown() || !this.host.box.clientWidth) return null;
    return {
      sop: clip.sop_uid,
      frame: this.host.frame(),
      toImage: (at) => viewport.toImage([at[0], at[1]]),
      toScreen: ([x, y]) => viewport.toScreen(x, y) ?? [0, 0],
      straightened: (drawing, moved) => straightened(drawing, moved, clip.regions),
    };
  }
}
