import { describe, expect, it } from "vitest";
import {
  type Box,
  crossesBox,
  type LabelPlacement,
  type LabelRequest,
  overlap,
  type PictureArea,
  placeLabels,
  wrapText,
} from "../../../src/viewer/annotation/label-placement";
import type { Point } from "../../../src/viewer/annotation/measure";

const ROOM: PictureArea = { w: 600, h: 400, occupied: [] };

function length(uid: string, from: Point, to: Point, w = 110): LabelRequest {
  return { uid, line: [from, to], closed: false, handles: [from, to], w, h: 19 };
}

/** Measurements with both of their ends within a hand's breadth. */
function close(many: number, apart = 6): LabelRequest[] {
  return Array.from({ length: many }, (_, at) => length(`d${at}`, [250, 180 + at * apart], [330, 184 + at * apart]));
}

function pairs<T>(each: readonly T[]): [T, T][] {
  return each.flatMap((a, at) => each.slice(at + 1).map((b): [T, T] => [a, b]));
}

function collisions(wishes: readonly LabelRequest[], places: ReadonlyMap<string, LabelPlacement>): string[] {
  const placed = [...places].filter(([uid]) => wishes.some((wish) => wish.uid === uid));
  const labels = pairs(placed)
    .filter(([[, a], [, b]]) => overlap(a, b))
    .map(([[a], [b]]) => `${a} over ${b}`);
  const handles = wishes.flatMap((wish) =>
    wish.handles.flatMap(([x, y]) =>
      placed
        .filter(([, box]) => overlap(box, { x: x - 4, y: y - 4, w: 8, h: 8 }))
        .map(([uid]) => `${uid} on a handle of ${wish.uid}`),
    ),
  );
  const leaders = placed.flatMap(([uid, { leader }]) =>
    leader
      ? placed
          .filter(([other, box]) => other !== uid && crossesBox(...leader, box))
          .map(([other]) => `line of ${uid} through ${other}`)
      : [],
  );
  return [...labels, ...handles, ...leaders];
}

function outside({ w, h }: PictureArea, places: Iterable<Box>): Box[] {
  return [...places].filter((box) => box.x < 0 || box.y < 0 || box.x + box.w > w || box.y + box.h > h);
}

/** The same numbers each time, from a seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

describe("labels beside drawings", () => {
  it("one alone stands to the right of its end, without a line that leads there", () => {
    const [place] = placeLabels([length("a", [100, 100], [200, 120])], ROOM).values();
    expect([place?.x, (place?.y ?? 0) + 9.5, place?.leader]).toEqual([209, 120, null]);
  });

  it("of six close together none lies on another, on a handle, or outside the picture", () => {
    const wishes = close(6);
    const places = placeLabels(wishes, ROOM);
    expect(places.size).toBe(6);
    expect(collisions(wishes, places)).toEqual([]);
    expect(outside(ROOM, places.values())).toEqual([]);
  });

  it("of six that share an end none lies on another, and those that stand apart have a line that leads there", () => {
    const wishes = Array.from({ length: 6 }, (_, at) =>
      length(`d${at}`, [300, 200], [300 + 60 * Math.cos(at), 200 + 60 * Math.sin(at)]),
    );
    const places = placeLabels(wishes, ROOM);
    expect(collisions(wishes, places)).toEqual([]);
    for (const { leader, x, y, w, h } of places.values())
      if (leader) expect(crossesBox(leader[1], leader[1], { x, y, w, h })).toBe(true);
  });

  it("of six in a corner, where their lines cannot all pass, none lies on another or on a handle", () => {
    const wishes = Array.from({ length: 6 }, (_, at) =>
      length(`d${at}`, [532, 392 - 6 * at], [592, 392 - 7 * at], 150),
    );
    const places = placeLabels(wishes, ROOM);
    expect(collisions(wishes, places).filter((collision) => !collision.startsWith("line"))).toEqual([]);
    expect(outside(ROOM, places.values())).toEqual([]);
  });

  it("a number that stands between the ends of two drawings has a line to its own", () => {
    const wishes = [length("a", [100, 100], [200, 100]), length("b", [100, 122], [200, 122])];
    const places = placeLabels(wishes, ROOM);
    expect([...places.values()].map(({ leader }) => leader?.[0])).toEqual([
      [200, 100],
      [200, 122],
    ]);
  });

  it("hundreds of arrangements by dice hold no collision", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const roll = dice(seed);
      const point = (): Point => [roll() * ROOM.w, roll() * ROOM.h];
      const wishes = Array.from({ length: 1 + Math.floor(roll() * 8) }, (_, at) =>
        length(`d${at}`, point(), point(), 40 + roll() * 150),
      );
      const places = placeLabels(wishes, ROOM);
      expect([seed, ...collisions(wishes, places)]).toEqual([seed]);
      expect(outside(ROOM, places.values())).toEqual([]);
    }
  });

  it.each([
    ["right", [560, 200], [596, 200]],
    ["left", [4, 200], [40, 200]],
    ["top", [300, 2], [340, 3]],
    ["bottom", [300, 398], [340, 397]],
    ["corner", [590, 390], [598, 398]],
  ] as [string, Point, Point][])("one at the %s edge stays inside the picture", (_, from, to) => {
    const wish = length("a", from, to, 180);
    const places = placeLabels([wish], ROOM);
    expect(outside(ROOM, places.values())).toEqual([]);
    expect(collisions([wish], places)).toEqual([]);
  });

  it("what is written on the picture is kept clear of", () => {
    const occupied = { x: 205, y: 100, w: 200, h: 40 };
    const [place] = placeLabels([length("a", [100, 100], [200, 120])], { ...ROOM, occupied: [occupied] }).values();
    expect(place && overlap(place, occupied)).toBe(false);
  });

  it("a drawing that is out of sight has no label at the edge", () => {
    expect(placeLabels([length("a", [-90, 50], [-20, 50]), length("b", [100, 50], [150, 50])], ROOM).size).toBe(1);
  });

  it("the same drawings have the same places whatever was there before", () => {
    expect([...placeLabels(close(6), ROOM)]).toEqual([...placeLabels(close(6), ROOM)]);
  });

  it("more than there is room for lie over each other no more than they must, inside", () => {
    const narrow = { w: 130, h: 60, occupied: [] };
    const places = placeLabels(
      close(6).map((wish) => ({
        ...wish,
        line: [
          [20, 30],
          [60, 30],
        ],
        handles: [],
      })),
      narrow,
    );
    expect([places.size, outside(narrow, places.values())]).toEqual([6, []]);
  });
});

describe("labels while a hand draws", () => {
  const others = close(4);
  const before = new Map([...placeLabels(others, ROOM)].map(([uid, { at }]) => [uid, at]));

  it("the others stay where they were, wherever the hand goes", () => {
    const still = [...placeLabels(others, ROOM)].map(([uid, { x, y }]) => [uid, x, y]).toSorted();
    for (let x = 100; x < 560; x += 3) {
      const places = placeLabels([...others, length("hand", [90, 90], [x, 190])], ROOM, { uid: "hand", before });
      expect(
        [...places]
          .filter(([uid]) => uid !== "hand")
          .map(([uid, place]) => [uid, place.x, place.y])
          .toSorted(),
      ).toEqual(still);
    }
  });

  it("the hand's own label lies on none of them and keeps its side as long as it is free there", () => {
    let memory: ReadonlyMap<string, number> = before;
    let changes = 0;
    for (let x = 100; x < 560; x += 1) {
      const wishes = [...others, length("hand", [90, 90], [x, 190])];
      const places = placeLabels(wishes, ROOM, { uid: "hand", before: memory });
      expect(pairs([...places.values()]).filter(([a, b]) => overlap(a, b))).toEqual([]);
      const at = new Map([...places].map(([uid, place]) => [uid, place.at]));
      if (memory.has("hand") && at.get("hand") !== memory.get("hand")) changes += 1;
      memory = at;
    }
    expect(changes).toBeLessThanOrEqual(8);
  });
});

describe("the text of a label", () => {
  const width = (text: string) => 7 * text.length;

  it("is broken into rows, and what does not fit ends with dots", () => {
    expect(wrapText("cystic area beside the left frontal horn", width, 98, 3)).toEqual([
      "cystic area",
      "beside the",
      "left frontal…",
    ]);
  });

  it("a word without end is cut", () => {
    expect(wrapText("x".repeat(200), width, 70, 3)).toEqual([`${"x".repeat(9)}…`]);
  });

  it("nothing makes no row", () => {
    expect(wrapText(" ", width, 70, 3)).toEqual([]);
  });
});
