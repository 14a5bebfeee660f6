/** A drawing as a row of the table: its number, its text, and its points as fields to type in. */

import { assertive } from "../../common/announce";
import { fill, h, icon } from "../../common/dom";
import type { Clip } from "../types";
import {
  type Drawing,
  type DrawingKind,
  detailsText,
  isTooSmall,
  KINDS,
  measuredOf,
  nameOf,
  scaleText,
  valueText,
  withPointMoved,
} from "./drawing";
import type { DrawingEditor } from "./drawing-editor";
import type { Point } from "./measure";

const COORDINATE_MOST = 100_000;
const EVERY_KIND: readonly DrawingKind[] = [{ tool: "length", preset: "", side: "" }, ...KINDS];
const AXES = ["x", "y"] as const;

export interface DrawingRowHost {
  drawingEditor: DrawingEditor;
  clips: readonly Clip[];
  goTo: (sop: string, frame: number) => void;
  erase: (uid: string) => void;
}

type Field = HTMLInputElement;

export class DrawingRow {
  readonly element: HTMLTableRowElement;
  readonly uid: string;
  private readonly clip: Clip | undefined;
  private readonly name = h("td", {});
  private readonly measurement = h("td", { class: "says" });
  private readonly frameLink: HTMLButtonElement;
  private readonly fields: Field[];
  private readonly text: Field;
  private readonly select: HTMLSelectElement | null;
  private readonly deleteButton: HTMLButtonElement | null;
  private readonly count: number;
  private readonly editable: boolean;

  constructor(
    private drawing: Drawing,
    private readonly host: DrawingRowHost,
  ) {
    const { drawingEditor, clips } = host;
    this.uid = drawing.uid;
    this.count = drawing.points.length;
    this.editable = drawingEditor.editable;
    this.clip = clips.find(({ sop_uid }) => sop_uid === drawing.sop_uid);
    this.frameLink = h(
      "button",
      { class: "link small", type: "button", onclick: () => this.goToFrame() },
      `clip ${this.clip?.number ?? "?"}, frame ${drawing.frame}`,
    );
    this.fields =
      drawing.tool === "freehand"
        ? [this.line()]
        : drawing.points.flatMap((_, index) => AXES.map((axis, at) => this.coordinate(index, at, axis)));
    this.text = this.field(
      { type: "text", class: "label-text", maxlength: 200, "data-field": `${this.uid} text` },
      () => drawingEditor.save({ ...this.drawing, label: this.text.value.trim() }),
    );
    this.select = drawing.tool === "length" && this.editable ? this.kinds() : null;
    this.deleteButton = this.editable
      ? h("button", { class: "btn btn-quiet mini", type: "button", onclick: () => host.erase(this.uid) }, icon("bad"))
      : null;
    const pairs =
      this.count && this.fields.length === 2 * this.count
        ? Array.from({ length: this.count }, (_, at) =>
            h("span", { class: "xy" }, ...this.fields.slice(2 * at, 2 * at + 2)),
          )
        : this.fields;
    if (this.select) this.name.append(this.select);
    this.element = h(
      "tr",
      { "data-row": this.uid },
      this.name,
      h("td", {}, this.frameLink),
      this.measurement,
      h("td", { class: "points" }, ...pairs),
      h("td", {}, this.text),
      h("td", { class: "num" }, this.deleteButton),
    );
  }

  /** Whether this row can show the drawing as it is now. */
  fits(drawing: Drawing, editable: boolean): boolean {
    return (
      drawing.uid === this.uid &&
      editable === this.editable &&
      drawing.tool === this.drawing.tool &&
      (drawing.tool === "freehand" || drawing.points.length === this.count)
    );
  }

  draw(drawing: Drawing, on: boolean): void {
    this.drawing = drawing;
    const name = nameOf(drawing);
    this.element.classList.toggle("on", on);
    if (this.select) {
      this.select.value = String(EVERY_KIND.findIndex((kind) => nameOf(kind) === name));
      this.select.setAttribute("aria-label", `What is measured: ${name}`);
    } else fill(this.name, name);
    this.frameLink.setAttribute(
      "aria-label",
      `Go to ${name}, clip ${this.clip?.number ?? "unknown"}, frame ${drawing.frame}`,
    );
    this.deleteButton?.setAttribute("aria-label", `Delete ${name}`);
    this.text.setAttribute("aria-label", `Text of ${name}`);
    this.drawNumber();
    write(this.text, drawing.label);
    if (drawing.tool === "freehand") return this.drawLine(name);
    this.fields.forEach((field, at) => {
      write(field, String(drawing.points[at >> 1]?.[at & 1] ?? 0));
      field.setAttribute("aria-label", `${name}, point ${(at >> 1) + 1} of ${this.count}, ${AXES[at & 1]}`);
    });
  }

  private drawNumber(): void {
    const measured = measuredOf(this.drawing, this.clip?.regions ?? []);
    const more = [detailsText(measured), scaleText(measured)].filter(Boolean).join(", ");
    fill(
      this.measurement,
      measured?.value === null
        ? h("span", { class: "small warn", title: measured.reason }, measured.reason)
        : h("span", {}, h("b", {}, valueText(measured)), h("span", { class: "small dim" }, more ? ` ${more}` : "")),
    );
  }

  private drawLine(name: string): void {
    const [field] = this.fields;
    if (!field) return;
    write(field, textOf(this.drawing));
    field.setAttribute("aria-label", `${name}, ${this.drawing.points.length} points, x and y, separated by semicolons`);
  }

  private goToFrame(): void {
    this.host.goTo(this.drawing.sop_uid, this.drawing.frame);
    this.host.drawingEditor.select(this.uid);
  }

  private field(props: Record<string, string | number>, changed: () => void): Field {
    const field = h("input", { ...props, readonly: !this.editable });
    field.addEventListener("change", changed);
    return field;
  }

  /** A menu that makes a length one of the measures, with its side. */
  private kinds(): HTMLSelectElement {
    const select = h(
      "select",
      { "data-field": `${this.uid} kind` },
      ...EVERY_KIND.map((kind, at) => h("option", { value: at }, nameOf(kind))),
    );
    select.addEventListener("change", () =>
      this.host.drawingEditor.save({ ...this.drawing, ...EVERY_KIND[Number(select.value)] }),
    );
    return select;
  }

  private coordinate(index: number, at: number, axis: string): Field {
    const field = this.field({ type: "number", step: "any", "data-field": `${this.uid} ${index} ${axis}` }, () => {
      const point = this.drawing.points[index] ?? [0, 0];
      const value = Number(field.value);
      if (field.value.trim() === "" || !Number.isFinite(value) || Math.abs(value) > COORDINATE_MOST) {
        field.value = String(point[at]);
        return assertive("A coordinate is a number of pixels. The one before is back.");
      }
      const to: Point = at ? [point[0], value] : [value, point[1]];
      this.host.drawingEditor.save(
        { ...this.drawing, points: withPointMoved(this.drawing.tool, this.drawing.points, index, to) },
        `type ${this.uid}`,
      );
    });
    return field;
  }

  /** A freehand line as text: "x y; x y; …". */
  private line(): Field {
    const field = this.field({ class: "line-points", type: "text", "data-field": `${this.uid} line` }, () => {
      const points = parsed(field.value);
      if (points && !isTooSmall("freehand", points))
        return this.host.drawingEditor.save({ ...this.drawing, points }, `type ${this.uid}`);
      field.value = textOf(this.drawing);
      assertive(
        "Points are pairs of numbers with semicolons between them, three pairs or more. The line before is back.",
      );
    });
    return field;
  }
}

/** Set a value only where it differs, so that a selection in the field stays. */
function write(field: Field, value: string): void {
  if (field.value !== value) field.value = value;
}

function textOf({ points }: Drawing): string {
  return points.map(([x, y]) => `${x} ${y}`).join("; ");
}

/** "1 2; 3 4" as points; null where it is something else. */
export function parsed(text: string): Point[] | null {
  const pairs = text
    .split(";")
    .map((pair) => pair.trim())
    .filter(Boolean)
    .map((pair) => pair.split(/[\s,]+/).map(Number));
  const valid = pairs.every(
    (pair) => pair.length === 2 && pair.every((value) => Number.isFinite(value) && Math.abs(value) <= COORDINATE_MOST),
  );
  return valid && pairs.length <= 256 ? pairs.map(([x = 0, y = 0]): Point => [x, y]) : null;
}
