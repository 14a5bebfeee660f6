import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Coverage } from "../../../src/viewer/coverage/coverage";
import { DwellTime } from "../../../src/viewer/coverage/dwell-time";
import type { Clip } from "../../../src/viewer/types";

const CLIP = { sop_uid: "1.2", frames: 3, decode_error: "" } as Clip;

function looked(coverage: Coverage): (number | null)[] {
  return coverage.report()[0]?.frame_ms ?? [];
}

function hide(dwell: DwellTime, hidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
  dwell.countTime();
}

describe("time on a frame", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("counts until the next frame comes", () => {
    const coverage = new Coverage([CLIP]);
    const dwell = new DwellTime(coverage);
    dwell.show(CLIP, 1);
    vi.advanceTimersByTime(400);
    dwell.show(CLIP, 2);
    expect(looked(coverage).slice(0, 2)).toEqual([400, 0]);
  });

  it("counts up to the moment when the page is hidden, and nothing while it is", () => {
    const coverage = new Coverage([CLIP]);
    const dwell = new DwellTime(coverage);
    dwell.show(CLIP, 1);
    vi.advanceTimersByTime(300);
    hide(dwell, true);
    vi.advanceTimersByTime(60_000);
    hide(dwell, false);
    vi.advanceTimersByTime(200);
    dwell.countTime();
    expect(looked(coverage)[0]).toBe(500);
  });

  it("a frame that came while the page was hidden is seen when the page comes back", () => {
    const coverage = new Coverage([CLIP]);
    const dwell = new DwellTime(coverage);
    hide(dwell, true);
    expect(dwell.show(CLIP, 1)).toBe(false);
    expect(coverage.fraction("1.2")).toBe(0);
    hide(dwell, false);
    expect(coverage.fraction("1.2")).toBeGreaterThan(0);
  });
});
