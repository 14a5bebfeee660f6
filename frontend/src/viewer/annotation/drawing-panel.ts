/**
 * The tools that draw, and every drawing of the study as a row:
 * its number, its text, and its points as fields to type in.
 */

import { assertive, polite } from "../../common/announce";
import { h, setPressed } from "../../common/dom";
import { keyCap } from "../../common/keymap";
import type { Binding } from "../../common/keys";
import type { Clip, Current } from "../types";
import {
  type Drawing,
  type DrawingKind,
  KINDS,
  nameOf,
  newUid,
  PRESETS,
  pointsOfDrag,
  shortName,
  TOOLS,
} from "./drawing";
import { DrawingRow, type DrawingRowHost } from "./drawing-row";
import { type Point, regionsOf } from "./measure";

const cap = (label: string) => keyCap("Viewer", label);

export interface DrawingPanelHost extends Omit<DrawingRowHost, "erase"> {
  /** The frame that a new drawing belongs to. */
  current: () => Current;
  /** Give the keyboard focus back to the pictures. */
  focusPictures: () => void;
}

export class DrawingPanel {
  readonly element = h("section", { class: "dock", "aria-label": "Drawings", hidden: true });
  private readonly buttons: [DrawingKind, HTMLButtonElement][] = [];
  private readonly instruction = h("p", { class: "small dim how" });
  private readonly rows = h("tbody", {});
  private readonly table: HTMLElement;
  private readonly emptyNote = h(
    "p",
    { class: "small dim" },
    "Nothing is drawn yet. Choose a tool and draw on the picture; " +
      "with the keyboard, Enter on a tool puts one in the middle, to be moved here or by its handles.",
  );
  private shownDrawings: readonly Drawing[] | null = null;
  private shownRows: DrawingRow[] = [];
  private readonly rowHost: DrawingRowHost;
  private signature = "";

  constructor(private readonly host: DrawingPanelHost) {
    this.rowHost = { ...host, erase: (uid) => this.erase(uid) };
    const heads = ["Drawing", "Where", "Measures", "Points, in pixels of the picture", "Text", ""].map((name) =>
      h("th", { scope: "col" }, name || h("span", { class: "vh" }, "Delete")),
    );
    this.table = h(
      "table",
      { class: "table" },
      h("caption", { class: "vh" }, "Every drawing of this study"),
      h("thead", {}, h("tr", {}, ...heads)),
      this.rows,
    );
    const close = h(
      "button",
      { class: "btn btn-quiet right-end", type: "button", onclick: () => this.toggle(false) },
      "Close ",
      cap("V"),
    );
    this.element.append(
      this.palette(),
      h("div", { class: "line" }, this.instruction, close),
      h("div", { class: "scroll-y" }, this.emptyNote, this.table),
    );
    this.draw();
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  toggle(open = !this.open): void {
    this.element.hidden = !open;
    if (!open) return this.host.focusPictures();
    this.draw();
    this.buttons[0]?.[1].focus();
  }

  keys(): Binding[] {
    const group = "Viewer";
    const { drawingEditor } = this.host;
    const editable = () => drawingEditor.editable;
    return [
      { key: "v", label: "Measure", group, run: () => this.toggle() },
      {
        key: "m",
        label: "Measure a length",
        group,
        bar: false,
        run: () => this.choose({ tool: "length", preset: "", side: "" }, false),
        when: editable,
      },
      {
        key: "Delete",
        label: "Delete the selected drawing",
        group,
        bar: false,
        run: () => this.erase(drawingEditor.selected),
        when: () => drawingEditor.selected !== null && editable(),
      },
      {
        key: "Escape",
        label: "Leave the tool or the drawing",
        group,
        bar: false,
        run: () => void drawingEditor.leave(),
        when: () =>
          drawingEditor.activeKind !== null || drawingEditor.selected !== null || drawingEditor.inProgress !== null,
      },
    ];
  }

  /**
   * Choose a tool. With `placed` (from the keyboard) a drawing is put in the middle of the picture at once,
   * and its first point has the focus.
   */
  choose(kind: DrawingKind, placed: boolean): void {
    const { drawingEditor } = this.host;
    if (!drawingEditor.editable) return polite("This read is committed: reopen it to draw");
    if (placed) return this.placeInMiddle(kind);
    const same = drawingEditor.activeKind && nameOf(drawingEditor.activeKind) === nameOf(kind);
    drawingEditor.chooseKind(same ? null : kind);
    if (!same) polite(`${nameOf(kind)}: draw on the picture. ${kind.preset ? PRESETS[kind.preset].how : ""}`);
    this.host.focusPictures();
  }

  draw(): void {
    const { activeKind, drawings, selected, editable } = this.host.drawingEditor;
    for (const [kind, button] of this.buttons) {
      const on = activeKind !== null && nameOf(activeKind) === nameOf(kind);
      setPressed(button, on);
      button.setAttribute("aria-disabled", String(!editable));
    }
    this.instruction.textContent = activeKind ? instructionOf(activeKind) : "";
    if (!this.open) return;
    const signature = `${selected}${editable}`;
    if (drawings === this.shownDrawings && signature === this.signature) return;
    this.shownDrawings = drawings;
    this.signature = signature;
    this.redraw();
  }

  /** A row stays the same element while its drawing changes, or a focused field would lose the focus. */
  private redraw(): void {
    const { drawings, editable, selected } = this.host.drawingEditor;
    this.emptyNote.hidden = drawings.length > 0;
    this.table.hidden = !drawings.length;
    const before = this.shownRows;
    this.shownRows = drawings.map(
      (drawing) => before.find((row) => row.fits(drawing, editable)) ?? new DrawingRow(drawing, this.rowHost),
    );
    for (const row of before) if (!this.shownRows.includes(row)) row.element.remove();
    this.shownRows.forEach((row, at) => {
      const current = this.rows.children[at];
      if (current !== row.element) this.rows.insertBefore(row.element, current ?? null);
      row.draw(drawings[at] as Drawing, drawings[at]?.uid === selected);
    });
  }

  // ---------- tools ----------

  private palette(): HTMLElement {
    const button = (kind: DrawingKind, text: string, key = "") => {
      const element = h(
        "button",
        {
          class: "btn btn-quiet",
          type: "button",
          "aria-pressed": "false",
          title: nameOf(kind),
          onclick: (event) => this.choose(kind, (event as MouseEvent).detail === 0),
        },
        text,
        kind.preset ? h("span", { class: "vh" }, `, ${nameOf(kind)}`) : null,
        key ? cap(key) : null,
      );
      element.querySelector("kbd")?.setAttribute("aria-hidden", "true");
      this.buttons.push([kind, element]);
      return element;
    };
    const tools = TOOLS.map(([tool, name]) =>
      button({ tool, preset: "", side: "" }, name, tool === "length" ? "M" : ""),
    );
    const presets = KINDS.map((kind) => button(kind, shortName(kind).replace("right", "R").replace("left", "L")));
    return h(
      "div",
      { class: "palette", role: "toolbar", "aria-label": "Drawing tools" },
      ...tools,
      h("span", { class: "bar", "aria-hidden": "true" }),
      ...presets,
    );
  }

  private placeInMiddle(kind: DrawingKind): void {
    const { clip, frame, shown } = this.host.current();
    if (!clip || !shown) return assertive("There is no picture to draw on");
    const drawing: Drawing = {
      ...kind,
      uid: newUid(),
      sop_uid: clip.sop_uid,
      frame,
      label: "",
      points: centredPoints(kind, clip, frame),
    };
    this.host.drawingEditor.save(drawing);
    this.toggle(true);
    // Selected, so that typing replaces the value.
    this.rows.querySelector<HTMLInputElement>(`[data-field="${drawing.uid} 0 x"]`)?.select();
  }

  private erase(uid: string | null): void {
    const drawing = this.host.drawingEditor.get(uid);
    const at = this.shownRows.findIndex((row) => row.uid === uid);
    const hadFocus = this.shownRows[at]?.element.contains(this.rows.ownerDocument.activeElement);
    if (!drawing || !this.host.drawingEditor.erase(uid)) return;
    // The focus goes to the next row, the one before, or a tool.
    if (hadFocus)
      (
        (this.shownRows[at] ?? this.shownRows[at - 1])?.element.querySelector<HTMLElement>("button.mini") ??
        this.buttons[0]?.[1]
      )?.focus();
  }
}

/** "Ventricular index, right." and how it is drawn. */
function instructionOf(kind: DrawingKind): string {
  return `${nameOf(kind)}. ${kind.preset ? PRESETS[kind.preset].how : "Draw on the picture; Esc leaves the tool."}`;
}

/** Points in the middle of the largest measurable region, or of the picture where there is none. */
export function centredPoints(kind: DrawingKind, clip: Clip, frame: number): Point[] {
  const measurable = regionsOf(clip.regions, frame).filter((region) =>
    kind.preset === "ri" ? region.axes : region.dx_cm !== null,
  );
  const [region] = measurable.toSorted((a, b) => (b.x1 - b.x0) * (b.y1 - b.y0) - (a.x1 - a.x0) * (a.y1 - a.y0));
  const { x0, y0, x1, y1 } = region ?? { x0: 0, y0: 0, x1: clip.columns - 1, y1: clip.rows - 1 };
  const at = (u: number, v: number): Point => [x0 + u * (x1 + 1 - x0), y0 + v * (y1 + 1 - y0)];
  if (kind.tool === "freehand") return [at(0.4, 0.4), at(0.6, 0.4), at(0.6, 0.6), at(0.4, 0.6)];
  if (kind.preset === "ri") return pointsOfDrag("length", at(0.4, 0.25), at(0.6, 0.45));
  const flat = kind.tool === "length" ? 0.5 : 0.6;
  return pointsOfDrag(kind.tool, at(0.4, flat === 0.5 ? 0.5 : 0.4), at(0.6, flat));
}
