/**
 * The drawings of a frame over its picture, as SVG:
 * lines, handles that also move by arrow keys, names and numbers beside them.
 */

import { type Child, fill, s } from "../../common/dom";
import type { Region } from "../types";
import {
  type Drawing,
  type DrawingKind,
  measuredOf,
  nameOf,
  outline,
  scaleText,
  shortName,
  valueText,
} from "./drawing";
import { type Box, type LabelPlacement, type LabelRequest, placeLabels, wrapText } from "./label-placement";
import { type Measured, type Point, regionsOf } from "./measure";
import { TextMeasurer } from "./text-width";

export interface Scene {
  drawings: readonly Drawing[];
  selected: string | null;
  /** The drawing that is being moved: meanwhile no other label moves. */
  moving: string | null;
  /** The active tool: the regions in which it can measure are outlined. */
  activeKind: DrawingKind | null;
  editable: boolean;
  /** The reader and the day of the drawings, where they are not the reader's own. */
  attribution: string;
  regions: readonly Region[];
  frame: number;
  /** Of the screen. */
  width: number;
  height: number;
  /** Boxes of other text on the picture. */
  occupied: readonly Box[];
  toScreen: (point: Point) => Point;
}

export interface SvgLayerHost {
  /** Move one point by so many pixels of the picture, as seen on the screen. */
  nudge: (drawing: Drawing, index: number, by: Point) => void;
  erase: (drawing: Drawing) => void;
}

const STEPS: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WIDEST_PX = 230;
const MOST_ROWS = 3;
/** Room for the dark rim around the letters. */
const RIM = 4;

/** One drawing in pixels of the screen. */
interface DrawingOnScreen {
  drawing: Drawing;
  on: boolean;
  measured: Measured | null;
  places: Point[];
  closed: boolean;
  text: string[];
  place: LabelPlacement | null;
}

function path(points: readonly Point[], closed: boolean): string {
  return `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}${closed ? "Z" : ""}`;
}

/** Two short strokes that make the first point an arrowhead. */
function tip([a, b]: readonly Point[]): string {
  if (!a || !b) return "";
  const angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
  const wing = (turn: number) => {
    const end: Point = [a[0] + 12 * Math.cos(angle + turn), a[1] + 12 * Math.sin(angle + turn)];
    return path([a, end], false);
  };
  return wing(0.45) + wing(-0.45);
}

/** "Length, 12.3 mm", with the text of the drawing. */
export function describeDrawing(drawing: Drawing, regions: readonly Region[]): string {
  const measured = measuredOf(drawing, regions);
  const why = measured?.value === null ? measured.reason : valueText(measured);
  return [nameOf(drawing), why, scaleText(measured), drawing.label].filter(Boolean).join(", ");
}

export class SvgLayer {
  readonly element = s("svg", { class: "marks", role: "group", "aria-label": "Drawings on this frame" });
  private readonly textMeasurer = new TextMeasurer(this.element);
  private empty = true;
  private placesBefore: ReadonlyMap<string, number> = new Map();

  constructor(private readonly host: SvgLayerHost) {}

  /** Null clears the layer. */
  draw(scene: Scene | null): void {
    const content = scene
      ? [
          ...this.regions(scene),
          ...this.drawingsOnScreen(scene).map((each) => this.drawingGroup(each, scene)),
          ...this.attributionText(scene),
        ]
      : [];
    if (!content.length && this.empty) return;
    this.empty = !content.length;
    const by = scene?.attribution ?? "";
    this.element.classList.toggle("theirs", by !== "");
    this.element.setAttribute("aria-label", by ? `Drawings on this frame, ${by}` : "Drawings on this frame");
    const active = this.element.ownerDocument.activeElement;
    const focused = active && this.element.contains(active) ? active.getAttribute("data-handle") : null;
    fill(this.element, ...content);
    if (focused === null) return;
    const again =
      this.element.querySelector<SVGElement>(`[data-handle="${focused}"]`) ??
      this.element.closest<HTMLElement>("[tabindex]");
    again?.focus({ preventScroll: true });
  }

  private drawingsOnScreen(scene: Scene): DrawingOnScreen[] {
    const { drawings, selected, moving, width, height, occupied } = scene;
    this.textMeasurer.updateFont(width, height);
    const onScreen = drawings.map((drawing): DrawingOnScreen => {
      const { line, closed } = outline(drawing.tool, drawing.points);
      const measured = measuredOf(drawing, scene.regions);
      return {
        drawing,
        on: drawing.uid === selected,
        measured,
        places: line.map(scene.toScreen),
        closed,
        text: this.text(drawing, measured, width),
        place: null,
      };
    });
    const area = { w: width, h: height, occupied: [...occupied, ...this.attributionBox(scene)] };
    const placements = placeLabels(
      onScreen.map((each) => this.labelRequest(each, scene)),
      area,
      moving === null ? null : { uid: moving, before: this.placesBefore },
    );
    this.placesBefore = new Map([...placements].map(([uid, { at }]) => [uid, at]));
    return onScreen.map((each) => ({ ...each, place: placements.get(each.drawing.uid) ?? null }));
  }

  /** The box of the attribution, in the lower left corner. */
  private attributionBox({ attribution, width, height }: Scene): Box[] {
    if (!attribution) return [];
    const h = this.textMeasurer.row + 2 * RIM;
    return [{ x: 0, y: height - h, w: Math.min(width, this.textMeasurer.width(attribution) + 2 * RIM), h }];
  }

  private attributionText(scene: Scene): SVGElement[] {
    if (!scene.drawings.length) return [];
    return this.attributionBox(scene).map(({ x, y }) =>
      s("text", { class: "says by", x: x + RIM, y: y + RIM + this.textMeasurer.ascent }, scene.attribution),
    );
  }

  private labelRequest({ drawing, places, closed, text }: DrawingOnScreen, { toScreen }: Scene): LabelRequest {
    const w = text.length ? Math.max(...text.map((row) => this.textMeasurer.width(row))) + 2 * RIM : 0;
    return {
      uid: drawing.uid,
      line: places,
      closed,
      handles: drawing.points.map(toScreen),
      w,
      h: text.length * this.textMeasurer.row + 2 * RIM,
    };
  }

  private text(drawing: Drawing, measured: Measured | null, width: number): string[] {
    const widest = Math.min(WIDEST_PX, width * 0.6);
    const first = drawing.tool === "arrow" ? "" : [shortName(drawing), valueText(measured)].filter(Boolean).join(" ");
    const wrapped = (text: string) => wrapText(text, (each) => this.textMeasurer.width(each), widest, MOST_ROWS);
    return [...(first ? [first] : []), ...wrapped(scaleText(measured)), ...wrapped(drawing.label)];
  }

  private regions({ activeKind, regions, frame, toScreen }: Scene): SVGElement[] {
    if (!activeKind || activeKind.tool === "arrow") return [];
    const depths = ({ type, dy_cm }: Region) => activeKind.tool === "length" && type === "m_mode" && dy_cm !== null;
    const measurable = (region: Region) =>
      activeKind.preset === "ri" ? Boolean(region.axes) : region.dx_cm !== null || depths(region);
    return regionsOf(regions, frame)
      .filter(measurable)
      .map(({ x0, y0, x1, y1 }) => {
        const corners: Point[] = [
          [x0, y0],
          [x1 + 1, y0],
          [x1 + 1, y1 + 1],
          [x0, y1 + 1],
        ];
        return s("path", { class: "region", d: path(corners.map(toScreen), true) });
      });
  }

  private drawingGroup(
    { drawing, on, measured, places, closed, text, place }: DrawingOnScreen,
    scene: Scene,
  ): SVGElement {
    const d =
      drawing.tool === "point"
        ? cross(places[0] ?? [0, 0])
        : path(places, closed) + (drawing.tool === "arrow" ? tip(places) : "");
    const bad = measured?.value === null;
    const name = [describeDrawing(drawing, scene.regions), scene.attribution].filter(Boolean).join(", ");
    // The role img would hide handles from screen readers, so only layers without any get it.
    const named = scene.editable ? {} : { role: "img", "aria-label": name };
    return s(
      "g",
      {
        ...named,
        class: ["mark", on && "on", bad && "bad"].filter(Boolean).join(" "),
        "data-uid": drawing.uid,
        "data-value": measured?.value ?? "",
        "data-unit": measured?.unit ?? "",
      },
      s("path", { class: "under", d }),
      s("path", { class: "line", d }),
      ...this.handles(drawing, scene, on),
      ...(place ? this.label(place, text) : []),
      s("title", {}, name),
    );
  }

  private handles(drawing: Drawing, scene: Scene, on: boolean): SVGElement[] {
    if (!on && drawing.tool !== "length" && drawing.tool !== "angle") return [];
    return drawing.points.map((point, index) => {
      const [cx, cy] = scene.toScreen(point);
      if (!on) return s("circle", { class: "end", cx, cy, r: 2.5 });
      const [x, y] = point.map((each) => each.toFixed(1));
      const which = `${nameOf(drawing)}, point ${index + 1} of ${drawing.points.length}`;
      const measured = measuredOf(drawing, scene.regions);
      const value = [valueText(measured), scaleText(measured)].filter(Boolean).join(", ");
      const where = `${which}: x ${x}, y ${y}. ${value}`;
      const keys = scene.editable
        ? {
            tabindex: 0,
            role: "button",
            "aria-label": where,
            "aria-description": "Arrows move it, with Shift by ten, with Alt by a tenth",
          }
        : {};
      const handle = s(
        "g",
        { class: "handle", "data-handle": index, ...keys },
        s("circle", { class: "spot", cx, cy, r: 5 }),
        s("circle", { class: "dot", cx, cy, r: 1 }),
      );
      handle.addEventListener("keydown", (event) => this.pressed(event, drawing, index));
      return handle;
    });
  }

  private label({ x, y, leader }: LabelPlacement, text: string[]): SVGElement[] {
    const { row, ascent } = this.textMeasurer;
    const lines: Child[] = text.map((each, at) => s("tspan", { x: x + RIM, dy: at ? row : 0 }, each));
    const says = s("text", { class: "says", x: x + RIM, y: y + RIM + ascent }, ...lines);
    return leader ? [s("path", { class: "leader", d: path(leader, false) }), says] : [says];
  }

  private pressed(event: KeyboardEvent, drawing: Drawing, index: number): void {
    const step = STEPS[event.key];
    if (event.ctrlKey || event.metaKey) return;
    if (step) {
      const by = event.shiftKey ? 10 : event.altKey ? 0.1 : 1;
      this.host.nudge(drawing, index, [step[0] * by, step[1] * by]);
    } else if (event.key === "Delete" || event.key === "Backspace") this.host.erase(drawing);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function cross([x, y]: Point): string {
  return `M${x - 7} ${y}H${x - 2}M${x + 2} ${y}H${x + 7}M${x} ${y - 7}V${y - 2}M${x} ${y + 2}V${y + 7}`;
}
