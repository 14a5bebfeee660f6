// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import type { Drawing } from "../../../src/viewer/annotation/drawing";
import { DrawingEditor, type FrameView } from "../../../src/viewer/annotation/drawing-editor";
import { type Point, straightened } from "../../../src/viewer/annotation/measure";
import { regionOf } from "../clips";

const none = () => undefined;
const TRACE = regionOf({ dx_cm: null, dy_cm: 0.05, type: "m_mode" });
const BOARD: FrameView = {
  sop: "1",
  frame: 1,
  toImage: (at) => at,
  toScreen: (point) => point,
  straightened: (drawing, moved) => straightened(drawing, moved, [TRACE]),
};

/** What is kept of a length that is dragged between two points, and the editor. */
function drawn(from: Point, to: Point): { kept: () => Drawing | undefined; editor: DrawingEditor } {
  let list: Drawing[] = [];
  const changed = (drawings: Drawing[]) => {
    list = drawings;
    editor.set(drawings, true);
  };
  const editor = new DrawingEditor({ changed, redraw: none, askText: none });
  editor.set([], true);
  editor.chooseKind({ tool: "length", preset: "", side: "" });
  const drag = editor.startDrag(BOARD, from, { pointerType: "mouse" });
  drag?.move(to);
  drag?.up(to);
  return { kept: () => list[0], editor };
}

describe("a length in an M-mode trace", () => {
  it("is straight down where it is nearly drawn so", () => {
    expect(drawn([50, 20], [55, 80]).kept()?.points).toEqual([
      [50, 20],
      [50, 80],
    ]);
  });

  it("stays as it is drawn where it leans more", () => {
    expect(drawn([50, 20], [90, 80]).kept()?.points).toEqual([
      [50, 20],
      [90, 80],
    ]);
  });

  it("stays straight down while one of its ends is dragged", () => {
    const { kept, editor } = drawn([50, 20], [50, 80]);
    const drag = editor.startDrag(BOARD, [50, 80], { pointerType: "mouse" });
    drag?.move([56, 120]);
    drag?.up([56, 120]);
    expect(kept()?.points).toEqual([
      [50, 20],
      [50, 120],
    ]);
  });
});
