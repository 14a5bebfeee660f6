import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Coverage } from "../../../src/viewer/coverage/coverage";
import { DwellTime } from "../../../src/viewer/coverage/dwell-time";
import type { Clip } from "../../../src/viewer/types";

const CLIP = { sop_uid: "1.2", frames: 3, decode_error: "" } as Clip;

function looked(coverage: Coverage): (number | null)[] {
  return coverage.report()[0]?.frame_ms ?? [];
}

let looking = true;

function dwellOn(coverage: Coverage): DwellTime {
  looking = true;
  return new DwellTime(coverage, () => looking);
}

/** Whether the reader looks away; returns whether the frame on the screen is seen for the first time. */
function away(dwell: DwellTime, gone: boolean): boolean {
  looking = !gone;
  return dwell.countTime();
}

describe("time on a frame", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("counts until the next frame comes", () => {
    const coverage = new Coverage([CLIP]);
    const dwell = dwellOn(coverage);
    dwell.show(CLIP, 1);
    vi.advanceTimersByTime(400);
    dwell.show(CLIP, 2);
    expect(looked(coverage).slice(0, 2)).toEqual([400, 0]);
  });

  it("counts up to the moment when the page or the view is left, and nothing until it is back", () => {
    const coverage = new Coverage([CLIP]);
    const dwell = dwellOn(coverage);
    dwell.show(CLIP, 1);
    vi.advanceTimersByTime(300);
    away(dwell, true);
    vi.advanceTimersByTime(60_000);
    away(dwell, false);
    vi.advanceTimersByTime(200);
    dwell.countTime();
    expect(looked(coverage)[0]).toBe(500);
  });

  it("a frame that came while nobody looked is seen when the reader is back", () => {
    const coverage = new Coverage([CLIP]);
    const dwell = dwellOn(coverage);
    away(dwell, true);
    expect([dwell.show(CLIP, 1), coverage.fraction("1.2")]).toEqual([false, 0]);
    expect([away(dwell, false), coverage.fraction("1.2")]).toEqual([true, 1 / 3]);
  });
});
