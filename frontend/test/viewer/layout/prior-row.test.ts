import { describe, expect, it } from "vitest";
import type { Drawing } from "../../../src/viewer/annotation/drawing";
import { attributionOf, drawingsText, type PriorDrawings } from "../../../src/viewer/layout/prior-row";

const LENGTH: Drawing = {
  uid: "a",
  tool: "length",
  preset: "",
  side: "",
  sop_uid: "1.2",
  frame: 1,
  label: "",
  points: [
    [1, 1],
    [9, 9],
  ],
};
const FOUND: PriorDrawings = {
  drawings: [LENGTH, { ...LENGTH, uid: "b" }],
  reader: "Dr Imke Moreau",
  committed_at: "2026-11-13T10:00:00+00:00",
  hidden: "",
};

describe("what was drawn in a prior", () => {
  it("is said with its reader and the day", () => {
    expect(attributionOf(FOUND)).toBe("Dr Imke Moreau, 13 Nov");
    expect(drawingsText(FOUND)).toBe("2 drawings: Dr Imke Moreau, 13 Nov");
  });

  it("is not mentioned where nothing was drawn", () => {
    expect(drawingsText({ ...FOUND, drawings: [] })).toBe("");
  });

  it("is said to be hidden where it may not be seen yet", () => {
    expect(drawingsText({ drawings: [], reader: "", committed_at: null, hidden: "Shown after your commit." })).toBe(
      "What others drew: shown after your commit.",
    );
  });
});
