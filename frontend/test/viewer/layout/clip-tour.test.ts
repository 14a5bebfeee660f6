// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClipTour } from "../../../src/viewer/layout/clip-tour";
import type { Clip } from "../../../src/viewer/types";
import type { Pane } from "../../../src/viewer/viewport/pane";
import { clipOf } from "../clips";

const clips = ["1", "2", "3"].map((sop_uid) => clipOf({ sop_uid }));
let done: string[] = [];
let unseen: string[] = [];
let tour: ClipTour;

const pane = {
  touring: false,
  show: (clip: Clip) => Promise.resolve(void done.push(`show ${clip.sop_uid}`)),
  play: () => void done.push("play"),
  pause: () => void done.push("pause"),
} as unknown as Pane;

const settled = () => new Promise((resolve) => setTimeout(resolve));

function press(key: string): void {
  document.dispatchEvent(new KeyboardEvent("keydown", { key }));
}

beforeEach(() => {
  [done, unseen] = [[], ["1", "3"]];
  tour = new ClipTour({ pane: () => pane, clips, unseen: () => unseen });
});
afterEach(() => tour.end());

describe("the tour through the clips", () => {
  it("plays each clip that was not seen once, and then stops", async () => {
    tour.start();
    await settled();
    tour.clipLooped(pane);
    await settled();
    tour.clipLooped(pane);
    expect(done).toEqual(["show 1", "play", "show 3", "play", "pause"]);
    expect(tour.running).toBe(false);
  });
  it("ends with any key, and what is on the screen stays", async () => {
    tour.start();
    await settled();
    press("v");
    tour.clipLooped(pane);
    expect(done).toEqual(["show 1", "play", "pause"]);
  });
  it("ends with a click", async () => {
    tour.start();
    document.dispatchEvent(new Event("pointerdown"));
    await settled();
    expect(done).toEqual(["show 1", "pause"]);
  });
  it("leaves the stop to Space, which would begin again otherwise", () => {
    tour.start();
    press(" ");
    expect([tour.running, done]).toEqual([false, ["show 1"]]);
  });
  it("does nothing where every clip was seen", () => {
    unseen = [];
    tour.start();
    expect([tour.running, done]).toEqual([false, []]);
  });
});
