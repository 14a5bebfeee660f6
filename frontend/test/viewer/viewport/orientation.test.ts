import { describe, expect, it } from "vitest";
import {
  applyInverse,
  applyMatrix,
  flipped,
  matrixOf,
  type Orientation,
  orientationText,
  orientedSides,
  turned,
  UPRIGHT,
} from "../../../src/viewer/viewport/orientation";

const EVERY: Orientation[] = [0, 1, 2, 3].flatMap((quarter) => [
  { quarter, mirrored: false },
  { quarter, mirrored: true },
]);
const EDGES = ["L", "T", "R", "B"] as const;

describe("turning and flipping", () => {
  it.each(EVERY)("goes there and back: %o", (orientation) => {
    const matrix = matrixOf(orientation, 30, 20);
    const [x, y] = applyInverse(matrix, applyMatrix(matrix, [7.25, 3.5]));
    expect([x, y]).toEqual([7.25, 3.5]);
  });

  it.each(EVERY)("the marks stand where the edges are: %o", (orientation) => {
    const [w, h] = orientation.quarter % 2 ? [20, 30] : [30, 20];
    const matrix = matrixOf(orientation, 30, 20);
    const place = { L: [0, 10], T: [15, 0], R: [30, 10], B: [15, 20] } as const;
    const where = (name: keyof typeof place) => {
      const [x, y] = applyMatrix(matrix, place[name]);
      return x === 0 ? 0 : y === 0 ? 1 : x === w ? 2 : y === h ? 3 : -1;
    };
    expect(orientedSides(orientation, EDGES).map(where)).toEqual([0, 1, 2, 3]);
  });

  it("a flip is of what is seen, and twice is none", () => {
    const quarter = turned(UPRIGHT, 1);
    for (const axis of ["across", "down"] as const) expect(flipped(flipped(quarter, axis), axis)).toEqual(quarter);
    expect(orientedSides(flipped(quarter, "across"), EDGES)).toEqual(["T", "L", "B", "R"]);
  });

  it("says what was done, and nothing where nothing was", () => {
    expect(EVERY.map(orientationText).filter((text) => !text)).toHaveLength(1);
    expect(orientationText({ quarter: 2, mirrored: true })).toBe("Flipped top to bottom");
  });
});
