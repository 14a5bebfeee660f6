import { describe, expect, it } from "vitest";
import { rateSourceText } from "../../../src/viewer/cine/cine-bar";
import { FrameClock, frameDurations, RateMeter } from "../../../src/viewer/cine/frame-clock";

const steady = { frames: 4, frame_time_ms: 50, fps: 20, frame_times: null };

describe("durations", () => {
  it("are the frame time where the file has one", () => {
    expect(frameDurations(steady)).toEqual([50, 50, 50, 50]);
  });

  it("come from the rate where it has none", () => {
    expect(frameDurations({ ...steady, frame_time_ms: null, fps: 25 })).toEqual([40, 40, 40, 40]);
  });

  it("follow the times at which frames begin, the last as long as the average", () => {
    expect(frameDurations({ ...steady, frame_times: [0, 20, 60, 120] })).toEqual([20, 40, 60, 40]);
  });

  it("ignore times that are not one per frame, or all nought", () => {
    expect(frameDurations({ ...steady, frame_times: [0, 20] })).toEqual([50, 50, 50, 50]);
    expect(frameDurations({ ...steady, frame_times: [0, 0, 0, 0] })).toEqual([50, 50, 50, 50]);
  });

  it("never stand still on a rate of nought", () => {
    expect(frameDurations({ ...steady, frame_time_ms: 0, fps: 0 })[0]).toBeCloseTo(1000 / 24);
  });
});

describe("CineClock", () => {
  it("drops frames for a late caller instead of slowing the clip", () => {
    const clock = new FrameClock(frameDurations(steady));
    expect([0, 49, 50, 160, 199].map((ms) => clock.frameAt(ms))).toEqual([0, 0, 1, 3, 3]);
  });

  it("comes round without drifting", () => {
    const clock = new FrameClock(frameDurations(steady));
    expect(clock.frameAt(200 * 1000 + 125)).toBe(2);
    expect(clock.loops(200 * 3 + 1)).toBe(3);
  });

  it("gives each frame of a vector its own time", () => {
    const clock = new FrameClock([20, 40, 60, 40]);
    expect([19, 20, 59, 60, 119, 120, 159].map((ms) => clock.frameAt(ms))).toEqual([0, 1, 1, 2, 2, 3, 3]);
  });

  it("begins where a frame begins", () => {
    const clock = new FrameClock([20, 40, 60, 40]);
    for (const index of [0, 1, 2, 3]) expect(clock.frameAt(clock.startOf(index))).toBe(index);
  });

  it("shows the first frame of a clip without any", () => {
    expect(new FrameClock([]).frameAt(100)).toBe(0);
  });
});

describe("RateMeter", () => {
  it("counts what was shown in the last second", () => {
    const meter = new RateMeter();
    for (let at = 0; at <= 2000; at += 50) meter.tick(at);
    expect(meter.fps).toBeCloseTo(20);
  });

  it("says nothing before half a second", () => {
    const meter = new RateMeter();
    meter.tick(0);
    meter.tick(300);
    expect(meter.fps).toBeNull();
  });
});

describe("where a rate comes from", () => {
  it("is the file, where nothing in it is doubted", () => {
    expect(rateSourceText({ fps_source: "frame_time", fps_flaw: "" })).toBe("Frame rate from the file");
  });

  it("tells a file that states none from one whose frame time cannot be true", () => {
    expect(rateSourceText({ fps_source: "default", fps_flaw: "" })).toBe("Frame rate assumed: the file states none");
    expect(
      rateSourceText({ fps_source: "default", fps_flaw: "the file's frame time of 0.033 ms cannot be true" }),
    ).toBe("Frame rate assumed: the file's frame time of 0.033 ms cannot be true");
  });

  it("says what was not believed where another time is used", () => {
    expect(
      rateSourceText({ fps_source: "recommended", fps_flaw: "the file's frame time of 0 ms cannot be true" }),
    ).toBe("Frame rate recommended in the file; the file's frame time of 0 ms cannot be true");
  });
});
