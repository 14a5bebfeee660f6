/**
 * Mouse, wheel and touch on a picture: drag for window and level, with a modifier to pan or zoom, wheel through frames.
 */

import type { PointerDrag } from "../annotation/drawing-editor";

type Point = [number, number];

export interface GesturesHost {
  zoom(factor: number, at?: [number, number]): void;
  pan(dx: number, dy: number): void;
  level(dx: number, dy: number): void;
  step(frames: number): void;
  /** The drag of a tool or a drawing at this point; null leaves the pointer to the picture. */
  startDrag?(at: Point, event: PointerEvent): PointerDrag | null;
  /** The pointer moves with no button pressed. */
  hover?(at: Point): void;
}

export type Drag = "level" | "pan" | "zoom";

/** Left: window and level. Right, or Ctrl: zoom. Middle, or Shift: pan. */
export function dragOf(event: Pick<PointerEvent, "button" | "ctrlKey" | "metaKey" | "shiftKey">): Drag {
  if (event.button === 1 || event.shiftKey) return "pan";
  return event.button === 2 || event.ctrlKey || event.metaKey ? "zoom" : "level";
}

const ZOOM_PER_PX = 1.006;
const ZOOM_PER_NOTCH = 1.15;
/** A touch pad sends many small deltas; a wheel one large one. */
const NOTCH_PX = 60;

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/**
 * What one of two fingers does to the picture when it moves and the other rests: zoom about the old middle between
 * them, then pan, so that what lay in the middle stays there.
 */
export function pinchOf(before: Point, now: Point, other: Point): { factor: number; at: Point; by: Point } {
  const was = distance(before, other);
  const at: Point = [(before[0] + other[0]) / 2, (before[1] + other[1]) / 2];
  return {
    factor: was > 0 ? distance(now, other) / was : 1,
    at,
    by: [(now[0] - before[0]) / 2, (now[1] - before[1]) / 2],
  };
}

class PointerGestures {
  private readonly points = new Map<number, Point>();
  private drag: Drag = "level";
  private anchor: Point = [0, 0];
  private wheelPixels = 0;
  private heldDrag: PointerDrag | null = null;

  constructor(
    private readonly element: HTMLElement,
    private readonly host: GesturesHost,
  ) {}

  down(event: PointerEvent): void {
    this.points.set(event.pointerId, this.at(event));
    this.element.setPointerCapture(event.pointerId);
    // The finger that is left over when the other is lifted goes on moving the picture: it never changes its greys.
    this.drag = this.points.size > 1 ? "pan" : dragOf(event);
    this.anchor = this.at(event);
    this.heldDrag?.cancel();
    // A second finger pinches: the drag of the first one is cancelled.
    const alone = this.points.size === 1 && this.drag === "level" && event.button === 0;
    this.heldDrag = alone ? (this.host.startDrag?.(this.anchor, event) ?? null) : null;
  }

  move(event: PointerEvent): void {
    const before = this.points.get(event.pointerId);
    const now = this.at(event);
    if (!before) return this.host.hover?.(now);
    if (this.heldDrag) return this.heldDrag.move(now);
    const other = [...this.points].find(([id]) => id !== event.pointerId)?.[1];
    this.points.set(event.pointerId, now);
    if (other) this.pinch(before, now, other);
    else this.dragged(now[0] - before[0], now[1] - before[1]);
  }

  up(event: PointerEvent): void {
    this.points.delete(event.pointerId);
    const { heldDrag } = this;
    this.heldDrag = null;
    if (event.type === "pointercancel") heldDrag?.cancel();
    else heldDrag?.up(this.at(event));
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * NOTCH_PX;
    if (event.ctrlKey || event.metaKey) {
      this.host.zoom(ZOOM_PER_NOTCH ** (-pixels / NOTCH_PX), this.at(event));
      return;
    }
    this.wheelPixels += pixels;
    const steps = Math.trunc(this.wheelPixels / NOTCH_PX);
    this.wheelPixels -= steps * NOTCH_PX;
    if (steps) this.host.step(steps);
  }

  private dragged(dx: number, dy: number): void {
    if (this.drag === "pan") this.host.pan(dx, dy);
    else if (this.drag === "zoom") this.host.zoom(ZOOM_PER_PX ** -dy, this.anchor);
    else this.host.level(dx, dy);
  }

  private pinch(before: Point, now: Point, other: Point): void {
    const { factor, at, by } = pinchOf(before, now, other);
    if (factor > 0) this.host.zoom(factor, at);
    this.host.pan(...by);
  }

  private at(event: MouseEvent): Point {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}

export function listenToGestures(element: HTMLElement, host: GesturesHost): void {
  const gestures = new PointerGestures(element, host);
  element.addEventListener("pointerdown", (event) => gestures.down(event));
  element.addEventListener("pointermove", (event) => gestures.move(event));
  element.addEventListener("pointerup", (event) => gestures.up(event));
  element.addEventListener("pointercancel", (event) => gestures.up(event));
  element.addEventListener("wheel", (event) => gestures.wheel(event), { passive: false });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
}
