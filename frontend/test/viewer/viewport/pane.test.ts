// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { DrawingEditor } from "../../../src/viewer/annotation/drawing-editor";
import { Coverage } from "../../../src/viewer/coverage/coverage";
import { Prefetcher } from "../../../src/viewer/loading/prefetcher";
import type { Clip } from "../../../src/viewer/types";
import { Pane } from "../../../src/viewer/viewport/pane";
import { PresentationStates } from "../../../src/viewer/viewport/presentation-state";
import { clipOf, regionOf } from "../clips";

const none = () => undefined;

/** Without the part that draws pixels, which never comes. */
function pane(...clips: Clip[]): Pane {
  const services = {
    viewports: new Promise<never>(none),
    prefetcher: new Prefetcher(() => Promise.resolve(), { inFlight: 1, hasRoom: () => true }),
    coverage: new Coverage(clips),
    inFront: () => true,
    presentationStates: new PresentationStates(),
    drawingEditor: new DrawingEditor({ changed: none, redraw: none, askText: none }),
  };
  return new Pane("left", "Left view", services, {
    framesKnown: none,
    frameShown: none,
    paneChanged: none,
    clipLooped: none,
  });
}

function speed(of: Pane): string | undefined {
  return of.cell.querySelector<HTMLSelectElement>("select.speed")?.selectedOptions[0]?.textContent ?? undefined;
}

describe("a pane", () => {
  it("is named after the view as soon as that is set", () => {
    const clip = clipOf();
    const shown = pane(clip);
    void shown.show(clip);
    Object.assign(clip, { view: "mastoid", label: "MAST sweep" });
    shown.rename();
    expect(shown.focusable.getAttribute("aria-label")).toBe("MAST sweep, clip 1");
  });
  it("plays the next clip at its own time where only the last one offered the speed", () => {
    const [first, next] = [clipOf({ display_rate: 30 }), clipOf({ sop_uid: "2" })];
    const shown = pane(first, next);
    void shown.show(first);
    shown.setPlayback({ speed: 0.75 });
    expect(speed(shown)).toBe("recommended, 30 fps");
    void shown.show(next);
    expect([speed(shown), shown.cine.playback.speed]).toEqual(["1×", 1]);
  });
  it("keeps a speed that every clip can be played at", () => {
    const [first, next] = [clipOf(), clipOf({ sop_uid: "2" })];
    const shown = pane(first, next);
    void shown.show(first);
    shown.setPlayback({ speed: 0.5 });
    void shown.show(next);
    expect(speed(shown)).toBe("½×");
  });
  it("says of each frame whether it can be measured, not of the clip", () => {
    const region = regionOf({ x1: 3, y1: 3 });
    const clip = clipOf({
      calibration: "mixed",
      regions: [
        { ...region, frames: [1, 4] },
        { ...region, dx_cm: null, dy_cm: null, frames: [5, 9] },
      ],
    });
    const shown = pane(clip);
    void shown.show(clip);
    const calibration = () => shown.cell.querySelector(".calibration")?.textContent;
    expect(calibration()).toBe("calibrated");
    shown.go(5);
    expect(calibration()).toBe("uncalibrated: no distances");
    shown.go(10);
    expect(calibration()).toBe("uncalibrated: no distances");
  });
});
