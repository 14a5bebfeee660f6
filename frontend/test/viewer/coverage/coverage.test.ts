import { beforeEach, describe, expect, it } from "vitest";
import { Coverage } from "../../../src/viewer/coverage/coverage";

const clip = (sop_uid: string, frames: number, decode_error = "") => ({ sop_uid, frames, decode_error });
const clips = [clip("a", 4), clip("b", 1), clip("broken", 3, "cut short"), clip("empty", 0)];
let coverage: Coverage;

beforeEach(() => {
  coverage = new Coverage(clips);
});

describe("Coverage", () => {
  it("counts each frame once", () => {
    expect([coverage.markShown("a", 2), coverage.markShown("a", 2), coverage.markShown("a", 3)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(coverage.fraction("a")).toBe(0.5);
  });

  it("names the clips that were not seen, those with a damaged frame too", () => {
    expect(coverage.unseen()).toEqual(["a", "b", "broken"]);
    coverage.markShown("b", 1);
    expect(coverage.unseen()).toEqual(["a", "broken"]);
  });

  it("takes a clip for seen from four fifths of its frames on, not before", () => {
    const sweep = new Coverage([clip("sweep", 10)]);
    for (let frame = 1; frame <= 7; frame++) sweep.markShown("sweep", frame);
    expect(sweep.unseen()).toEqual(["sweep"]);
    sweep.markShown("sweep", 8);
    expect(sweep.unseen()).toEqual([]);
  });

  it("does not ask again about a clip whose reader was told that it cannot be shown", () => {
    expect([coverage.markUnshowable("broken"), coverage.markUnshowable("broken")]).toEqual([true, false]);
    expect(coverage.unseen()).toEqual(["a", "b"]);
  });

  it("reports frames and time of every clip", () => {
    coverage.markShown("a", 1);
    coverage.addTime("a", 1, 120.4);
    expect(coverage.report()[0]).toEqual({ sop_uid: "a", frames: 1, ms: 120, frame_ms: [120, null, null, null] });
    expect(coverage.report()[1]).toEqual({ sop_uid: "b", frames: 0, ms: 0 });
  });

  it("does not take a night for a look", () => {
    coverage.markShown("a", 1);
    coverage.addTime("a", 1, 8 * 3600 * 1000);
    expect(coverage.report()[0]?.ms).toBe(60_000);
  });

  it("survives a reload", () => {
    for (const frame of [1, 2, 4]) coverage.markShown("a", frame);
    coverage.addTime("a", 4, 700);
    const again = new Coverage(clips);
    again.restore(JSON.parse(JSON.stringify(coverage.toStored())));
    expect(again.report()).toEqual(coverage.report());
    expect(coverage.toStored()["a"]?.ranges).toEqual([
      [1, 2],
      [4, 4],
    ]);
  });

  it("ignores what is kept of clips that are gone", () => {
    coverage.restore({ gone: { ranges: [[1, 3]], ms: 5 } });
    expect(coverage.report()).toHaveLength(4);
  });
});

describe("a read that is reopened", () => {
  it("counts what was seen once, however often", () => {
    const coverage = new Coverage([{ sop_uid: "1.2", frames: 3, decode_error: "" }]);
    coverage.markShown("1.2", 1);
    coverage.addTime("1.2", 1, 500);
    for (let times = 0; times < 3; times++) coverage.restore(coverage.toStored());
    expect(coverage.ms("1.2")).toBe(500);
  });
});
