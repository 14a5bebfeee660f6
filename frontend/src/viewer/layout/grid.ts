/** Panes in rows and columns: one to nine, rearranged by dragging a pane's heading or by keys. */

import { h } from "../../common/dom";
import type { Pane } from "../viewport/pane";

export type Layout = "1x1" | "1x2" | "2x2" | "3x3";
export const LAYOUTS: readonly Layout[] = ["1x1", "1x2", "2x2", "3x3"];

export function shape(layout: Layout): [rows: number, columns: number] {
  const [rows = 1, columns = 1] = layout.split("x").map(Number);
  return [rows, columns];
}

export function layoutName(layout: Layout): string {
  return layout.replace("x", "×");
}

export function nextLayout(layout: Layout): Layout {
  return LAYOUTS[(LAYOUTS.indexOf(layout) + 1) % LAYOUTS.length] ?? "1x1";
}

/** The place beside this one, or null at the edge. */
export function placeBeside(
  at: number,
  [rows, columns]: readonly [number, number],
  direction: "left" | "right" | "up" | "down",
): number | null {
  const row = Math.floor(at / columns) + (direction === "down" ? 1 : direction === "up" ? -1 : 0);
  const column = (at % columns) + (direction === "right" ? 1 : direction === "left" ? -1 : 0);
  return row < 0 || column < 0 || row >= rows || column >= columns ? null : row * columns + column;
}

const DRAGGED = "application/x-fontanelle-pane";
/** MIME type of a clip that is dragged from the film. */
export const CLIP_DRAGGED = "application/x-fontanelle-clip";

export class Grid {
  readonly element: HTMLElement;
  private places: Pane[] = [];
  private size: [number, number] = [1, 1];

  constructor(
    kind: "study" | "prior",
    private readonly make: (place: number) => Pane,
    /** Two panes have changed places. */
    private readonly moved: () => void,
    /** A clip was dropped on a pane. */
    private readonly dropped: (sop: string, pane: Pane) => void = () => undefined,
  ) {
    this.element = h("div", { class: "grid", "data-grid": kind });
  }

  get panes(): readonly Pane[] {
    return this.places;
  }

  get visible(): Pane[] {
    return this.places.slice(0, this.size[0] * this.size[1]);
  }

  /** Panes are made when they are first needed and kept, so that hidden ones come back unchanged. */
  arrange(rows: number, columns: number): void {
    this.size = [rows, columns];
    this.element.dataset["layout"] = `${rows}x${columns}`;
    while (this.places.length < rows * columns) this.add();
    this.places.forEach((pane, at) => {
      pane.cell.hidden = at >= rows * columns;
      pane.setVisible(at < rows * columns);
    });
  }

  move(pane: Pane, direction: "left" | "right" | "up" | "down"): boolean {
    const at = this.places.indexOf(pane);
    const to = placeBeside(at, this.size, direction);
    if (at < 0 || to === null) return false;
    this.swap(at, to);
    return true;
  }

  swap(a: number, b: number): void {
    const [first, second] = [this.places[a], this.places[b]];
    if (!first || !second || a === b) return;
    this.places[a] = second;
    this.places[b] = first;
    this.element.append(...this.places.map((pane) => pane.cell));
    this.moved();
  }

  private add(): void {
    const pane = this.make(this.places.length);
    this.places.push(pane);
    this.element.append(pane.cell);
    this.draggable(pane);
  }

  private draggable(pane: Pane): void {
    const { handle, cell } = pane;
    handle.draggable = true;
    handle.title = "Drag to rearrange";
    handle.addEventListener("dragstart", (event) =>
      event.dataTransfer?.setData(DRAGGED, String(this.places.indexOf(pane))),
    );
    cell.addEventListener("dragover", (event) => {
      if (![DRAGGED, CLIP_DRAGGED].some((type) => event.dataTransfer?.types.includes(type))) return;
      event.preventDefault();
      cell.classList.add("drop");
    });
    for (const name of ["dragleave", "drop"]) cell.addEventListener(name, () => cell.classList.remove("drop"));
    cell.addEventListener("drop", (event) => {
      event.preventDefault();
      const from = event.dataTransfer?.getData(DRAGGED);
      const sop = event.dataTransfer?.getData(CLIP_DRAGGED);
      if (from) this.swap(Number(from), this.places.indexOf(pane));
      else if (sop) this.dropped(sop, pane);
    });
  }
}
