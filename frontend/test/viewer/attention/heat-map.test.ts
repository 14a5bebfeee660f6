import { describe, expect, it } from "vitest";
import { contour, HeatOverlay, sample } from "../../../src/viewer/attention/heat-map";

const hot = [
  [0, 0, 0, 0],
  [0, 1, 1, 0],
  [0, 1, 1, 0],
  [0, 0, 0, 0],
];

describe("a heat map", () => {
  it("is read between the middles of its cells", () => {
    expect([sample(hot, 0.5, 0.5), sample(hot, 0, 0), sample(hot, 0.25, 0.5)]).toEqual([1, 0, 0.5]);
  });
  it("has its half-way contour where cold and hot cells meet", () => {
    const xs = contour(hot, 0.5)
      .flat()
      .map(([x]) => x);
    expect(Math.min(...xs)).toBeCloseTo(0.25, 1);
    expect(Math.max(...xs)).toBeCloseTo(0.75, 1);
  });
  it("has no contour where nothing raised the score", () => {
    expect(
      contour(
        [
          [0, 0],
          [0, 0],
        ],
        0.2,
      ),
    ).toEqual([]);
  });
  it("closes its lines at the edge of what was looked at", () => {
    const ends = new Map<string, number>();
    for (const [x, y] of contour(
      [
        [1, 0],
        [0, 0],
      ],
      0.5,
    ).flat())
      ends.set(`${x.toFixed(6)},${y.toFixed(6)}`, (ends.get(`${x.toFixed(6)},${y.toFixed(6)}`) ?? 0) + 1);
    expect([...ends.values()].every((count) => count % 2 === 0)).toBe(true);
  });
  it("is drawn in the coordinates of the picture, with its numbers", () => {
    const overlay = new HeatOverlay();
    overlay.draw({ sop_uid: "a", frame: 1, square: [100, 50, 80], heat: hot }, (x, y) => [x * 2, y * 2]);
    expect([...overlay.element.querySelectorAll("text")].map((text) => text.textContent)).toEqual([".2", ".5", ".8"]);
    const x = Number(overlay.element.querySelectorAll("text")[1]?.getAttribute("x"));
    expect(x).toBeCloseTo((100 + 0.75 * 80) * 2 + 3, -1);
    overlay.draw(null, null);
    expect(overlay.element.children).toHaveLength(0);
  });
});
