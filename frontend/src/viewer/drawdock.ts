/** The tools that draw, and every drawing of the study as a row: its number, its text, and its points as fields to type in. */

import { assertive, polite } from "../common/announce";
import { type Child, fill, h, icon } from "../common/dom";
import { keyCap } from "../common/keymap";
import type { Binding } from "../common/keys";
import { type Drawing, type Kind, PRESETS, TOOLS, dragged, fresh, measuredOf, moreText, nameOf, shortName, slipped, spanned, valueText } from "./drawing";
import { type Point, type Preset, regionsOf } from "./measure";
import type { Sketcher } from "./sketch";
import type { Clip } from "./types";

const cap = (label: string) => keyCap("Viewer", label);
const COORDINATE_MOST = 100_000;

export interface DockNeeds {
  sketch: Sketcher;
  clips: readonly Clip[];
  /** The frame that is drawn on next. */
  current: () => { clip: Clip | null; frame: number };
  goTo: (sop: string, frame: number) => void;
  /** The keys belong to the pictures again. */
  release: () => void;
}

/** Every preset as it can be chosen: those taken per side twice. */
export const KINDS: readonly Kind[] = (Object.keys(PRESETS) as Exclude<Preset, "">[]).flatMap((preset): Kind[] => {
  const { perSide } = PRESETS[preset];
  return perSide ? [{ tool: "length", preset, side: "right" }, { tool: "length", preset, side: "left" }] : [{ tool: "length", preset, side: "" }];
});

export class DrawDock {
  readonly element = h("section", { class: "dock", "aria-label": "Drawings", hidden: true });
  private readonly buttons: [Kind, HTMLButtonElement][] = [];
  private readonly how = h("p", { class: "small dim how" });
  private readonly rows = h("tbody", {});
  private readonly table: HTMLElement;
  private readonly none = h("p", { class: "small dim" }, "Nothing is drawn yet. Choose a tool and draw on the picture; with the keyboard, Enter on a tool puts one in the middle, to be moved here or by its handles.");
  private drawn: readonly Drawing[] | null = null;
  private signature = "";

  constructor(private readonly needs: DockNeeds) {
    const heads = ["Drawing", "Where", "Measures", "Points, in pixels of the picture", "Text", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "vh" }, "Delete")));
    this.table = h("table", { class: "table" }, h("caption", { class: "vh" }, "Every drawing of this study"), h("thead", {}, h("tr", {}, ...heads)), this.rows);
    const close = h("button", { class: "btn btn-quiet right-end", type: "button", onclick: () => this.toggle(false) }, "Close ", cap("V"));
    this.element.append(this.palette(), h("div", { class: "line" }, this.how, close), h("div", { class: "scroll-y" }, this.none, this.table));
    this.draw();
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  toggle(open = !this.open): void {
    this.element.hidden = !open;
    if (!open) return this.needs.release();
    this.draw();
    this.buttons[0]?.[1].focus();
  }

  keys(): Binding[] {
    const group = "Viewer";
    const { sketch } = this.needs;
    const editable = () => sketch.editable;
    return [
      { key: "v", label: "Measure", group, run: () => this.toggle() },
      { key: "m", label: "Measure a length", group, bar: false, run: () => this.choose({ tool: "length", preset: "", side: "" }, false), when: editable },
      { key: "Delete", label: "Delete the selected drawing", group, bar: false, run: () => this.erase(sketch.selected), when: () => sketch.selected !== null && editable() },
      { key: "Escape", label: "Leave the tool or the drawing", group, bar: false, run: () => void sketch.leave(), when: () => sketch.armed !== null || sketch.selected !== null || sketch.live !== null },
    ];
  }

  /** Take a tool in hand. From the keyboard it is put in the middle of the picture at once, and its first point can be moved. */
  choose(kind: Kind, placed: boolean): void {
    const { sketch } = this.needs;
    if (!sketch.editable) return polite("This read is committed: reopen it to draw");
    if (placed) return this.place(kind);
    const same = sketch.armed && nameOf(sketch.armed) === nameOf(kind);
    sketch.arm(same ? null : kind);
    if (!same) polite(`${nameOf(kind)}: draw on the picture. ${kind.preset ? PRESETS[kind.preset].how : ""}`);
    this.needs.release();
  }

  draw(): void {
    const { armed, drawings, selected, editable } = this.needs.sketch;
    for (const [kind, button] of this.buttons) {
      const on = armed !== null && nameOf(armed) === nameOf(kind);
      button.setAttribute("aria-pressed", String(on));
      button.classList.toggle("on", on);
      button.setAttribute("aria-disabled", String(!editable));
    }
    this.how.textContent = armed ? `${nameOf(armed)}. ${armed.preset ? PRESETS[armed.preset].how : "Draw on the picture; Esc leaves the tool."}` : "";
    if (!this.open) return;
    const signature = `${selected}${editable}`;
    if (drawings === this.drawn && signature === this.signature) return;
    this.drawn = drawings;
    this.signature = signature;
    this.redraw();
  }

  /** A field that has the focus keeps it: rows are made anew. */
  private redraw(): void {
    const { drawings } = this.needs.sketch;
    const held = this.rows.ownerDocument.activeElement;
    const name = held instanceof HTMLElement && this.rows.contains(held) ? held.dataset["field"] : undefined;
    this.none.hidden = drawings.length > 0;
    this.table.hidden = !drawings.length;
    fill(this.rows, ...drawings.map((drawing) => this.row(drawing)));
    const again = name && this.rows.querySelector<HTMLElement>(`[data-field="${CSS.escape(name)}"]`);
    if (!again) return;
    again.focus();
    if (again instanceof HTMLInputElement && again.type === "text") again.select();
  }

  // ---------- tools ----------

  private palette(): HTMLElement {
    const button = (kind: Kind, text: string, key = "") => {
      const made = h("button", { class: "btn btn-quiet", type: "button", "aria-pressed": "false", title: nameOf(kind), onclick: (event) => this.choose(kind, (event as MouseEvent).detail === 0) }, text, kind.preset ? h("span", { class: "vh" }, `, ${nameOf(kind)}`) : null, key ? cap(key) : null);
      made.querySelector("kbd")?.setAttribute("aria-hidden", "true");
      this.buttons.push([kind, made]);
      return made;
    };
    const tools = TOOLS.map(([tool, name]) => button({ tool, preset: "", side: "" }, name, tool === "length" ? "M" : ""));
    const presets = KINDS.map((kind) => button(kind, shortName(kind).replace("right", "R").replace("left", "L")));
    return h("div", { class: "palette", role: "toolbar", "aria-label": "Drawing tools" }, ...tools, h("span", { class: "bar", "aria-hidden": "true" }), ...presets);
  }

  private place(kind: Kind): void {
    const { clip, frame } = this.needs.current();
    if (!clip || !clip.frames) return assertive("There is no picture to draw on");
    const drawing: Drawing = { ...kind, uid: fresh(), sop_uid: clip.sop_uid, frame, label: "", points: inTheMiddle(kind, clip, frame) };
    this.needs.sketch.put(drawing);
    this.toggle(true);
    this.rows.querySelector<HTMLElement>(`[data-field="${drawing.uid} 0 x"]`)?.focus();
    polite(`${nameOf(drawing)} put in the middle of the picture: ${valueText(measuredOf(drawing, clip.regions))}`);
  }

  private erase(uid: string | null): void {
    const drawing = this.needs.sketch.get(uid);
    if (drawing && this.needs.sketch.erase(uid)) polite(`${nameOf(drawing)} deleted. Undo brings it back.`);
  }

  // ---------- table ----------

  private row(drawing: Drawing): HTMLElement {
    const { sketch, clips, goTo } = this.needs;
    const clip = clips.find(({ sop_uid }) => sop_uid === drawing.sop_uid);
    const measured = measuredOf(drawing, clip?.regions ?? []);
    const on = sketch.selected === drawing.uid;
    const go = () => {
      goTo(drawing.sop_uid, drawing.frame);
      sketch.select(drawing.uid);
    };
    const number = measured?.value === null ? h("span", { class: "small warn", title: measured.reason }, measured.reason) : h("span", {}, h("b", {}, valueText(measured)), h("span", { class: "small dim" }, moreText(measured) ? ` ${moreText(measured)}` : ""));
    return h(
      "tr",
      { class: on ? "on" : null, "data-row": drawing.uid },
      h("td", {}, this.kind(drawing)),
      h("td", {}, h("button", { class: "link small", type: "button", "data-field": `${drawing.uid} go`, "aria-label": `Go to ${nameOf(drawing)}, clip ${clip?.number ?? "unknown"}, frame ${drawing.frame}`, onclick: go }, `clip ${clip?.number ?? "?"}, frame ${drawing.frame}`)),
      h("td", { class: "says" }, number),
      h("td", { class: "points" }, ...this.points(drawing)),
      h("td", {}, this.text(drawing)),
      h("td", { class: "num" }, sketch.editable ? h("button", { class: "btn btn-quiet mini", type: "button", "aria-label": `Delete ${nameOf(drawing)}`, onclick: () => this.erase(drawing.uid) }, icon("bad")) : null),
    );
  }

  /** A length can be said to be one of the measures, and on which side. */
  private kind(drawing: Drawing): Child {
    if (drawing.tool !== "length" || !this.needs.sketch.editable) return nameOf(drawing);
    const every: Kind[] = [{ tool: "length", preset: "", side: "" }, ...KINDS];
    const select = h("select", { "aria-label": `What is measured: ${nameOf(drawing)}`, "data-field": `${drawing.uid} kind` }, ...every.map((kind, at) => h("option", { value: at, selected: nameOf(kind) === nameOf(drawing) }, nameOf(kind))));
    select.addEventListener("change", () => this.needs.sketch.put({ ...drawing, ...every[Number(select.value)] }));
    return select;
  }

  private points(drawing: Drawing): Child[] {
    const count = drawing.points.length;
    if (drawing.tool === "freehand") return [this.line(drawing)];
    return drawing.points.map((point, index) => h("span", { class: "xy" }, ...(["x", "y"] as const).map((axis, at) => this.coordinate(drawing, index, at, axis, point, count))));
  }

  private coordinate(drawing: Drawing, index: number, at: number, axis: string, point: Point, count: number): HTMLElement {
    const field = h("input", { type: "number", step: "any", value: point[at] ?? 0, readonly: !this.needs.sketch.editable, "data-field": `${drawing.uid} ${index} ${axis}`, "aria-label": `${nameOf(drawing)}, point ${index + 1} of ${count}, ${axis}` });
    field.addEventListener("change", () => {
      const value = Number(field.value);
      if (field.value.trim() === "" || !Number.isFinite(value) || Math.abs(value) > COORDINATE_MOST) {
        field.value = String(point[at] ?? 0);
        return assertive("A coordinate is a number of pixels. The one before is back.");
      }
      const to: Point = at ? [point[0], value] : [value, point[1]];
      this.needs.sketch.put({ ...drawing, points: dragged(drawing.tool, drawing.points, index, to) }, `type ${drawing.uid}`);
    });
    return field;
  }

  /** A freehand line as text: "x y; x y; …". */
  private line(drawing: Drawing): HTMLElement {
    const text = drawing.points.map(([x, y]) => `${x} ${y}`).join("; ");
    const field = h("input", { class: "line-points", type: "text", value: text, readonly: !this.needs.sketch.editable, "data-field": `${drawing.uid} line`, "aria-label": `${nameOf(drawing)}, ${drawing.points.length} points, x and y, separated by semicolons` });
    field.addEventListener("change", () => {
      const points = parsed(field.value);
      if (points && !slipped("freehand", points)) return this.needs.sketch.put({ ...drawing, points }, `type ${drawing.uid}`);
      field.value = text;
      assertive("Points are pairs of numbers with semicolons between them, three pairs or more. The line before is back.");
    });
    return field;
  }

  private text(drawing: Drawing): HTMLElement {
    const field = h("input", { type: "text", class: "label-text", value: drawing.label, maxlength: 200, readonly: !this.needs.sketch.editable, "data-field": `${drawing.uid} text`, "aria-label": `Text of ${nameOf(drawing)}` });
    field.addEventListener("change", () => this.needs.sketch.put({ ...drawing, label: field.value.trim() }));
    return field;
  }
}

/** "1 2; 3 4" as points; null where it is something else. */
export function parsed(text: string): Point[] | null {
  const pairs = text.split(";").map((pair) => pair.trim()).filter(Boolean).map((pair) => pair.split(/[\s,]+/).map(Number));
  const right = pairs.every((pair) => pair.length === 2 && pair.every((value) => Number.isFinite(value) && Math.abs(value) <= COORDINATE_MOST));
  return right && pairs.length <= 256 ? pairs.map(([x = 0, y = 0]): Point => [x, y]) : null;
}

/** Inside the widest region that can be measured, or the picture where there is none. */
export function inTheMiddle(kind: Kind, clip: Clip, frame: number): Point[] {
  const wanted = regionsOf(clip.regions, frame).filter((region) => (kind.preset === "ri" ? region.axes : region.dx_cm !== null));
  const [region] = wanted.toSorted((a, b) => (b.x1 - b.x0) * (b.y1 - b.y0) - (a.x1 - a.x0) * (a.y1 - a.y0));
  const { x0, y0, x1, y1 } = region ?? { x0: 0, y0: 0, x1: clip.columns - 1, y1: clip.rows - 1 };
  const at = (u: number, v: number): Point => [x0 + u * (x1 + 1 - x0), y0 + v * (y1 + 1 - y0)];
  if (kind.tool === "freehand") return [at(0.4, 0.4), at(0.6, 0.4), at(0.6, 0.6), at(0.4, 0.6)];
  if (kind.preset === "ri") return spanned("length", at(0.4, 0.25), at(0.6, 0.45));
  const flat = kind.tool === "length" ? 0.5 : 0.6;
  return spanned(kind.tool, at(0.4, flat === 0.5 ? 0.5 : 0.4), at(0.6, flat));
}
