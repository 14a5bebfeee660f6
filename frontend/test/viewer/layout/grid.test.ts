import { describe, expect, it } from "vitest";
import { nextSpeed } from "../../../src/viewer/cine/cine-bar";
import { nextLayout, placeBeside, shape } from "../../../src/viewer/layout/grid";
import { fillEmptyPanes } from "../../../src/viewer/layout/hanging-protocol";

describe("layouts", () => {
  it("follow each other and come round", () => {
    expect([nextLayout("1x1"), nextLayout("2x2"), nextLayout("3x3")]).toEqual(["1x2", "3x3", "1x1"]);
    expect(shape("1x2")).toEqual([1, 2]);
  });
  it("know the place beside a place, and their edges", () => {
    expect(["left", "right", "up", "down"].map((way) => placeBeside(4, [3, 3], way as "left"))).toEqual([3, 5, 1, 7]);
    expect([
      placeBeside(0, [1, 2], "left"),
      placeBeside(1, [1, 2], "right"),
      placeBeside(1, [1, 2], "down"),
      placeBeside(2, [2, 2], "left"),
    ]).toEqual([null, null, null, null]);
  });
});

it("hangs in empty panes what hangs nowhere yet, in order", () => {
  const clips = ["a", "b", "c"].map((sop_uid) => ({ sop_uid, view: "other" as const, frames: 1 }));
  const sops = fillEmptyPanes(clips, [clips[1] ?? null, null, null, null]).map((clip) => clip?.sop_uid ?? null);
  expect(sops).toEqual(["b", "a", "c", null]);
});

it("goes from speed to speed and holds at the ends", () => {
  expect([nextSpeed(1, 1), nextSpeed(1, -1), nextSpeed(4, 1), nextSpeed(0.25, -1), nextSpeed(0.8, 1)]).toEqual([
    2, 0.5, 4, 0.25, 1,
  ]);
});
