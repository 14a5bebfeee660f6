/**
 * The drawings of a study, the selected one and the active tool: one editor for all panes.
 * It knows neither pixels of the screen nor elements.
 */

import {
  type Drawing,
  type DrawingKind,
  distanceToLine,
  isTooSmall,
  newUid,
  outline,
  pointsOfDrag,
  shifted,
  simplifiedTrace,
  withPointMoved,
} from "./drawing";
import { distance, type Point } from "./measure";

/** A frame on the screen, with the mapping between image and screen. */
export interface FrameView {
  sop: string;
  frame: number;
  toImage: (at: Point) => Point | null;
  toScreen: (point: Point) => Point;
  /** The points of a drawing whose point of that index has moved, straight where its region asks for it. */
  straightened?: (drawing: Drawing, moved: number) => readonly Point[];
}

/** A drag in progress. */
export interface PointerDrag {
  move(at: Point): void;
  up(at: Point): void;
  cancel(): void;
}

export interface DrawingEditorHost {
  /** The list of drawings has changed; steps of one name in a row are undone as one. */
  changed: (drawings: Drawing[], step?: string) => void;
  /** The drawings must be drawn again. */
  redraw: () => void;
  /** The drawing needs a text from the reader. */
  askText: (drawing: Drawing) => void;
}

interface Pointer {
  pointerType: string;
}

const NEAR_PX = 7;
const NEAR_FINGER_PX = 18;
/** A press that moves less than this is a click: the next one places the next point. */
const CLICK_PX = 4;

export class DrawingEditor {
  drawings: readonly Drawing[] = [];
  selected: string | null = null;
  activeKind: DrawingKind | null = null;
  editable = false;
  /**
   * The reader and the day of the drawings, where they are not the reader's own: then nothing can be dragged.
   */
  attribution = "";
  /** The drawing that is being made or moved: not yet part of the list. */
  inProgress: Drawing | null = null;
  /** When a tool or a drawing was last left, in ms of the page's clock. */
  leftAt = -Infinity;
  /** The point that the next press places. */
  private pendingPoint: number | null = null;

  constructor(private readonly host: DrawingEditorHost) {}

  set(drawings: readonly Drawing[], editable: boolean): void {
    this.drawings = drawings;
    this.editable = editable;
    if (!editable) this.activeKind = null;
    if (!drawings.some(({ uid }) => uid === this.selected)) this.selected = null;
    this.host.redraw();
  }

  /** The drawings of a frame, the one in progress included. */
  drawingsOn(sop: string, frame: number): Drawing[] {
    const { inProgress } = this;
    const every = inProgress
      ? [...this.drawings.filter(({ uid }) => uid !== inProgress.uid), inProgress]
      : this.drawings;
    return every.filter((drawing) => drawing.sop_uid === sop && drawing.frame === frame);
  }

  get(uid: string | null): Drawing | null {
    return this.drawings.find((drawing) => drawing.uid === uid) ?? null;
  }

  /** Choose the tool that the next drag draws with; null leaves drags to window and level. */
  chooseKind(kind: DrawingKind | null): void {
    this.activeKind = this.editable ? kind : null;
    this.discard();
    this.selected = null;
    this.host.redraw();
  }

  select(uid: string | null): void {
    if (this.selected === uid) return;
    this.selected = uid;
    this.host.redraw();
  }

  /** Add a drawing, or replace the one of the same uid. */
  save(drawing: Drawing, step?: string): void {
    if (!this.editable) return;
    const { measured: _measured, ...plain } = drawing;
    const at = this.drawings.findIndex(({ uid }) => uid === drawing.uid);
    const list = at < 0 ? [...this.drawings, plain] : this.drawings.map((each, index) => (index === at ? plain : each));
    this.selected = drawing.uid;
    this.host.changed(list, step);
  }

  erase(uid: string | null): boolean {
    if (!this.editable || !this.get(uid)) return false;
    this.host.changed(this.drawings.filter((drawing) => drawing.uid !== uid));
    return true;
  }

  /** Leave the tool, else deselect the drawing. False where there was neither. */
  leave(): boolean {
    if (!this.activeKind && !this.selected && !this.inProgress) return false;
    this.leftAt = performance.now();
    if (this.inProgress || this.activeKind) this.chooseKind(null);
    else this.select(null);
    return true;
  }

  /** The drag that begins at this point; null leaves it to the picture. */
  startDrag(board: FrameView, at: Point, event: Pointer): PointerDrag | null {
    const point = board.toImage(at);
    if (!point) return null;
    if (this.inProgress && this.pendingPoint !== null) {
      if (this.inProgress.sop_uid !== board.sop || this.inProgress.frame !== board.frame) this.discard();
      else return this.placePoint(board, this.inProgress, this.pendingPoint, at);
    }
    if (this.activeKind) return this.startDrawing(board, this.activeKind, point, at);
    return this.dragDrawing(board, at, event);
  }

  /** The pointer moves with no button pressed. */
  hover(board: FrameView, at: Point): void {
    if (!this.inProgress || this.pendingPoint === null) return;
    const to = board.toImage(at);
    if (to && this.inProgress.sop_uid === board.sop && this.inProgress.frame === board.frame)
      this.show(this.withPoint(board, this.inProgress, this.pendingPoint, to));
  }

  private withPoint(board: FrameView, drawing: Drawing, index: number, to: Point): Drawing {
    const moved = { ...drawing, points: withPointMoved(drawing.tool, drawing.points, index, to) };
    return { ...moved, points: board.straightened?.(moved, index) ?? moved.points };
  }

  // ---------- drawing ----------

  private startDrawing(board: FrameView, kind: DrawingKind, from: Point, pressed: Point): PointerDrag {
    const drawing: Drawing = {
      ...kind,
      uid: newUid(),
      sop_uid: board.sop,
      frame: board.frame,
      label: "",
      points: pointsOfDrag(kind.tool, from, from),
    };
    const trail: Point[] = [from];
    const reach = (at: Point): Drawing => {
      const to = board.toImage(at) ?? from;
      if (kind.tool !== "freehand") {
        const dragged = { ...drawing, points: pointsOfDrag(kind.tool, from, to) };
        return { ...dragged, points: board.straightened?.(dragged, 1) ?? dragged.points };
      }
      trail.push(to);
      return { ...drawing, points: trail };
    };
    this.show(drawing);
    return {
      move: (at) => this.show(reach(at)),
      up: (at) => {
        const done = reach(at);
        if (kind.tool === "freehand") this.finish({ ...done, points: simplifiedTrace(trail) });
        else if (kind.tool === "angle" || (distance(at, pressed) < CLICK_PX && kind.tool !== "point"))
          this.waitForPoint(done, distance(at, pressed) < CLICK_PX);
        else this.finish(done);
      },
      cancel: () => this.discard(),
    };
  }

  /** A click has placed the first point, or an angle has its first arm: the next press places the next point. */
  private waitForPoint(drawing: Drawing, clicked: boolean): void {
    if (clicked && (drawing.tool === "ellipse" || drawing.tool === "box")) return this.discard();
    this.pendingPoint = clicked ? 1 : 2;
    this.show(drawing);
  }

  private placePoint(board: FrameView, drawing: Drawing, index: number, pressed: Point): PointerDrag {
    const reach = (at: Point): Drawing => this.withPoint(board, drawing, index, board.toImage(at) ?? [0, 0]);
    this.show(reach(pressed));
    return {
      move: (at) => this.show(reach(at)),
      up: (at) => {
        const done = reach(at);
        if (drawing.tool !== "angle" || index === 2) return this.finish(done);
        this.pendingPoint = 2;
        this.show({ ...done, points: pointsOfDrag("angle", done.points[0] ?? [0, 0], done.points[1] ?? [0, 0]) });
      },
      cancel: () => this.discard(),
    };
  }

  private finish(drawing: Drawing): void {
    this.pendingPoint = null;
    this.inProgress = null;
    this.activeKind = null;
    if (isTooSmall(drawing.tool, drawing.points)) return this.host.redraw();
    this.save(drawing);
    if (drawing.tool === "arrow") this.host.askText(drawing);
  }

  private discard(): void {
    this.pendingPoint = null;
    this.inProgress = null;
    this.host.redraw();
  }

  private show(drawing: Drawing): void {
    this.inProgress = drawing;
    this.host.redraw();
  }

  // ---------- moving ----------

  private dragDrawing(board: FrameView, at: Point, event: Pointer): PointerDrag | null {
    const near = event.pointerType === "touch" ? NEAR_FINGER_PX : NEAR_PX;
    const drawings = this.drawingsOn(board.sop, board.frame).toSorted(
      (a, b) => Number(b.uid === this.selected) - Number(a.uid === this.selected),
    );
    for (const drawing of drawings) {
      const index = this.handleAt(board, drawing, at, near);
      if (index !== null)
        return this.moveDrawing(board, drawing, (to) => this.withPoint(board, drawing, index, to).points);
    }
    for (const drawing of drawings) {
      const { line, closed } = outline(drawing.tool, drawing.points);
      if (distanceToLine(at, line.map(board.toScreen), closed) > near) continue;
      const from = board.toImage(at) ?? [0, 0];
      return this.moveDrawing(board, drawing, (to) => shifted(drawing.points, [to[0] - from[0], to[1] - from[1]]));
    }
    this.select(null);
    return null;
  }

  /** Points of a freehand line, which are many, can be dragged only once it is selected. */
  private handleAt(board: FrameView, drawing: Drawing, at: Point, near: number): number | null {
    if (drawing.tool === "freehand" && drawing.uid !== this.selected) return null;
    const off = drawing.points.map((point) => distance(at, board.toScreen(point)));
    const least = Math.min(...off);
    return least <= near ? off.indexOf(least) : null;
  }

  private moveDrawing(board: FrameView, drawing: Drawing, reach: (to: Point) => readonly Point[]): PointerDrag {
    this.select(drawing.uid);
    let moved = drawing;
    return {
      move: (at) => {
        const to = board.toImage(at);
        if (!this.editable || !to) return;
        moved = { ...drawing, points: reach(to) };
        this.show(moved);
      },
      up: () => {
        this.inProgress = null;
        if (moved === drawing) this.host.redraw();
        else this.save(moved);
      },
      cancel: () => this.discard(),
    };
  }
}
