/** The side markers at the edges of the picture, and the note that it is turned or flipped. */

import { h } from "../../common/dom";
import type { Box } from "../annotation/label-placement";
import { edgeMarks } from "../layout/hanging-protocol";
import type { Clip } from "../types";
import { type Orientation, orientationText, orientedSides } from "./orientation";

export class OrientationMarkers {
  private readonly marks = ["left", "top", "right", "bottom"].map((where) => h("span", { class: `side ${where}` }));
  private readonly note = h("p", { class: "way", role: "note", hidden: true });

  get elements(): HTMLElement[] {
    return [...this.marks, this.note];
  }

  /** Draw the markers and the note for this orientation; returns the note's text. */
  draw(clip: Clip | null, orientation: Orientation): string {
    const [left, right] = (clip && edgeMarks(clip.view)) ?? ["", ""];
    const marks = orientedSides(orientation, [left, "", right, ""] as const);
    this.marks.forEach((side, at) => {
      side.textContent = marks[at] ?? "";
      side.hidden = !marks[at];
    });
    this.note.textContent = orientationText(orientation);
    this.note.hidden = !this.note.textContent;
    return this.note.textContent;
  }

  /** Where the note and the markers above and below cover the picture, in pixels from the corner of the box. */
  boxesIn(box: HTMLElement): Box[] {
    const visible = [this.note, ...this.marks.filter((_, at) => at % 2)].filter(({ hidden }) => !hidden);
    if (!visible.length) return [];
    const { left, top } = box.getBoundingClientRect();
    return visible
      .map((each) => each.getBoundingClientRect())
      .map((each) => ({ x: each.left - left, y: each.top - top, w: each.width, h: each.height }));
  }
}
