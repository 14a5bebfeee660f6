import { describe, expect, it } from "vitest";
import { AS_ACQUIRED, sequence } from "../../../src/viewer/cine/cine";
import { coverageRuns } from "../../../src/viewer/coverage/coverage-ribbon";

const lengths = [10, 20, 30, 40];

describe("sequence", () => {
  it("is the clip at its own time", () => {
    expect(sequence(lengths, AS_ACQUIRED)).toEqual({ order: [0, 1, 2, 3], stays: lengths });
  });
  it("goes to and fro, showing the ends once", () => {
    expect(sequence(lengths, { ...AS_ACQUIRED, pingPong: true }).order).toEqual([0, 1, 2, 3, 2, 1]);
  });
  it("keeps to its range, whichever end was set first", () => {
    expect(sequence(lengths, { ...AS_ACQUIRED, range: [2, 1] }).order).toEqual([1, 2]);
    expect(sequence(lengths, { ...AS_ACQUIRED, range: [2, 99] }).order).toEqual([2, 3]);
  });
  it("takes half the time at double speed", () => {
    expect(sequence(lengths, { ...AS_ACQUIRED, speed: 2 }).stays).toEqual([5, 10, 15, 20]);
  });
  it("is empty for a clip without frames", () => {
    expect(sequence([], AS_ACQUIRED).order).toEqual([]);
  });
});

describe("runs", () => {
  it("join neighbours of one kind", () => {
    expect(coverageRuns([null, 20, 30, 900, null])).toEqual([
      { first: 1, last: 1, kind: "unseen" },
      { first: 2, last: 3, kind: "seen" },
      { first: 4, last: 4, kind: "dwelt" },
      { first: 5, last: 5, kind: "unseen" },
    ]);
  });
});
