/**
 * What is drawn, what is selected and what the hand draws next: one for all panes of a study.
 * It knows no pixels and no page.
 */

import { away, type Drawing, dragged, fresh, type Kind, outline, shifted, slipped, spanned, traced } from "./drawing";
import { distance, type Point } from "./measure";

/** A frame on the screen, and how its picture lies there. */
export interface Board {
  sop: string;
  frame: number;
  toImage: (at: Point) => Point | null;
  toScreen: (point: Point) => Point;
}

/** What the pointer holds. */
export interface Grip {
  move(at: Point): void;
  up(at: Point): void;
  cancel(): void;
}

export interface SketchEvents {
  /** Another list of drawings; steps of one name in a row are undone as one. */
  changed: (drawings: Drawing[], step?: string) => void;
  /** Something looks different. */
  redraw: () => void;
  /** A text is asked for. */
  naming: (drawing: Drawing) => void;
}

interface Held {
  pointerType: string;
}

const NEAR_PX = 7;
const NEAR_FINGER_PX = 18;
/** A press that moves less than this is a click: the next one places the next point. */
const CLICK_PX = 4;

export class Sketcher {
  drawings: readonly Drawing[] = [];
  selected: string | null = null;
  armed: Kind | null = null;
  editable = false;
  /**
   * Whose drawings these are and of which day, where they are not the reader's own: then they are to be looked at only.
   */
  by = "";
  /** As the hand moves: not yet part of the list. */
  live: Drawing | null = null;
  /** When a tool or a drawing was last left, in ms of the page's clock. */
  leftAt = -Infinity;
  /** The point that the next press places. */
  private pending: number | null = null;

  constructor(private readonly events: SketchEvents) {}

  set(drawings: readonly Drawing[], editable: boolean): void {
    this.drawings = drawings;
    this.editable = editable;
    if (!editable) this.armed = null;
    if (!drawings.some(({ uid }) => uid === this.selected)) this.selected = null;
    this.events.redraw();
  }

  /** What lies on a frame, the drawing under the hand as it is now. */
  on(sop: string, frame: number): Drawing[] {
    const { live } = this;
    const every = live ? [...this.drawings.filter(({ uid }) => uid !== live.uid), live] : this.drawings;
    return every.filter((drawing) => drawing.sop_uid === sop && drawing.frame === frame);
  }

  get(uid: string | null): Drawing | null {
    return this.drawings.find((drawing) => drawing.uid === uid) ?? null;
  }

  /** The hand draws this next; null gives it back to window and level. */
  arm(kind: Kind | null): void {
    this.armed = this.editable ? kind : null;
    this.drop();
    this.selected = null;
    this.events.redraw();
  }

  select(uid: string | null): void {
    if (this.selected === uid) return;
    this.selected = uid;
    this.events.redraw();
  }

  /** Add a drawing, or put it in the place of the one of its name. */
  put(drawing: Drawing, step?: string): void {
    if (!this.editable) return;
    const { measured: _measured, ...plain } = drawing;
    const at = this.drawings.findIndex(({ uid }) => uid === drawing.uid);
    const list = at < 0 ? [...this.drawings, plain] : this.drawings.map((each, index) => (index === at ? plain : each));
    this.selected = drawing.uid;
    this.events.changed(list, step);
  }

  erase(uid: string | null): boolean {
    if (!this.editable || !this.get(uid)) return false;
    this.events.changed(this.drawings.filter((drawing) => drawing.uid !== uid));
    return true;
  }

  /** Away from the tool, then from the drawing. False where there was nothing to leave. */
  leave(): boolean {
    if (!this.armed && !this.selected && !this.live) return false;
    this.leftAt = performance.now();
    if (this.live || this.armed) this.arm(null);
    else this.select(null);
    return true;
  }

  /** What the pointer takes hold of here; null leaves it to the picture. */
  grab(board: Board, at: Point, event: Held): Grip | null {
    const here = board.toImage(at);
    if (!here) return null;
    if (this.live && this.pending !== null) {
      if (this.live.sop_uid !== board.sop || this.live.frame !== board.frame) this.drop();
      else return this.placing(board, this.live, this.pending, at);
    }
    if (this.armed) return this.start(board, this.armed, here, at);
    return this.take(board, at, event);
  }

  /** The pointer moves with nothing held. */
  hover(board: Board, at: Point): void {
    if (!this.live || this.pending === null) return;
    const to = board.toImage(at);
    if (to && this.live.sop_uid === board.sop && this.live.frame === board.frame)
      this.show({ ...this.live, points: dragged(this.live.tool, this.live.points, this.pending, to) });
  }

  // ---------- drawing ----------

  private start(board: Board, kind: Kind, from: Point, pressed: Point): Grip {
    const drawing: Drawing = {
      ...kind,
      uid: fresh(),
      sop_uid: board.sop,
      frame: board.frame,
      label: "",
      points: spanned(kind.tool, from, from),
    };
    const trail: Point[] = [from];
    const reach = (at: Point): Drawing => {
      const to = board.toImage(at) ?? from;
      if (kind.tool !== "freehand") return { ...drawing, points: spanned(kind.tool, from, to) };
      trail.push(to);
      return { ...drawing, points: trail };
    };
    this.show(drawing);
    return {
      move: (at) => this.show(reach(at)),
      up: (at) => {
        const done = reach(at);
        if (kind.tool === "freehand") this.finish({ ...done, points: traced(trail) });
        else if (kind.tool === "angle" || (distance(at, pressed) < CLICK_PX && kind.tool !== "point"))
          this.await(done, distance(at, pressed) < CLICK_PX);
        else this.finish(done);
      },
      cancel: () => this.drop(),
    };
  }

  /** A click placed the first point, or an angle has its first arm: the next press goes on. */
  private await(drawing: Drawing, clicked: boolean): void {
    if (clicked && (drawing.tool === "ellipse" || drawing.tool === "box")) return this.drop();
    this.pending = clicked ? 1 : 2;
    this.show(drawing);
  }

  private placing(board: Board, drawing: Drawing, index: number, pressed: Point): Grip {
    const reach = (at: Point): Drawing => ({
      ...drawing,
      points: dragged(drawing.tool, drawing.points, index, board.toImage(at) ?? [0, 0]),
    });
    this.show(reach(pressed));
    return {
      move: (at) => this.show(reach(at)),
      up: (at) => {
        const done = reach(at);
        if (drawing.tool !== "angle" || index === 2) return this.finish(done);
        this.pending = 2;
        this.show({ ...done, points: spanned("angle", done.points[0] ?? [0, 0], done.points[1] ?? [0, 0]) });
      },
      cancel: () => this.drop(),
    };
  }

  private finish(drawing: Drawing): void {
    this.pending = null;
    this.live = null;
    this.armed = null;
    if (slipped(drawing.tool, drawing.points)) return this.events.redraw();
    this.put(drawing);
    if (drawing.tool === "arrow") this.events.naming(drawing);
  }

  private drop(): void {
    this.pending = null;
    this.live = null;
    this.events.redraw();
  }

  private show(drawing: Drawing): void {
    this.live = drawing;
    this.events.redraw();
  }

  // ---------- moving ----------

  private take(board: Board, at: Point, event: Held): Grip | null {
    const near = event.pointerType === "touch" ? NEAR_FINGER_PX : NEAR_PX;
    const here = this.on(board.sop, board.frame).toSorted(
      (a, b) => Number(b.uid === this.selected) - Number(a.uid === this.selected),
    );
    for (const drawing of here) {
      const index = this.handleAt(board, drawing, at, near);
      if (index !== null) return this.moving(board, drawing, (to) => dragged(drawing.tool, drawing.points, index, to));
    }
    for (const drawing of here) {
      const { line, closed } = outline(drawing.tool, drawing.points);
      if (away(at, line.map(board.toScreen), closed) > near) continue;
      const from = board.toImage(at) ?? [0, 0];
      return this.moving(board, drawing, (to) => shifted(drawing.points, [to[0] - from[0], to[1] - from[1]]));
    }
    this.select(null);
    return null;
  }

  /** Points of a freehand line are taken hold of once it is selected: there are many. */
  private handleAt(board: Board, drawing: Drawing, at: Point, near: number): number | null {
    if (drawing.tool === "freehand" && drawing.uid !== this.selected) return null;
    const off = drawing.points.map((point) => distance(at, board.toScreen(point)));
    const least = Math.min(...off);
    return least <= near ? off.indexOf(least) : null;
  }

  private moving(board: Board, drawing: Drawing, reach: (to: Point) => Point[]): Grip {
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
        this.live = null;
        if (moved === drawing) this.events.redraw();
        else this.put(moved);
      },
      cancel: () => this.drop(),
    };
  }
}
