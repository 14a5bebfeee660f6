/** What stands on the picture and turns with it: the marks of the sides, and that it was turned or flipped. */

import { h } from "../../common/dom";
import type { Box } from "../annotation/label-placement";
import { edges } from "../layout/hanging-protocol";
import type { Clip } from "../types";
import { around, type Orientation, words } from "./orientation";

export class Sides {
  private readonly marks = ["left", "top", "right", "bottom"].map((where) => h("span", { class: `side ${where}` }));
  private readonly way = h("p", { class: "way", role: "note", hidden: true });

  get elements(): HTMLElement[] {
    return [...this.marks, this.way];
  }

  /** The marks follow every turn and flip, and those are said on the picture; what is said. */
  draw(clip: Clip | null, orientation: Orientation): string {
    const [left, right] = (clip && edges(clip.view)) ?? ["", ""];
    const marks = around(orientation, [left, "", right, ""] as const);
    this.marks.forEach((side, at) => {
      side.textContent = marks[at] ?? "";
      side.hidden = !marks[at];
    });
    this.way.textContent = words(orientation);
    this.way.hidden = !this.way.textContent;
    return this.way.textContent;
  }

  /** Turns, and the marks above and below, stand on the picture itself: where, in pixels from the corner of the box. */
  written(box: HTMLElement): Box[] {
    const there = [this.way, ...this.marks.filter((_, at) => at % 2)].filter(({ hidden }) => !hidden);
    if (!there.length) return [];
    const { left, top } = box.getBoundingClientRect();
    return there
      .map((each) => each.getBoundingClientRect())
      .map((each) => ({ x: each.left - left, y: each.top - top, w: each.width, h: each.height }));
  }
}
