import { describe, expect, it, vi } from "vitest";
import { peaks } from "../../../src/viewer/attention/peaks";
import { adjacentClip, edgeMarks, hangClips } from "../../../src/viewer/layout/hanging-protocol";
import { Prefetcher } from "../../../src/viewer/loading/prefetcher";
import type { View } from "../../../src/viewer/types";
import { dragOf, pinchOf } from "../../../src/viewer/viewport/gestures";

const clip = (sop_uid: string, view: View, frames: number) => ({ sop_uid, view, frames });
const still = clip("still", "coronal", 1);
const cor = clip("cor", "coronal", 40);
const sag = clip("sag", "sagittal", 40);
const mastoid = clip("mastoid", "mastoid", 1);

describe("hang", () => {
  it("puts the coronal sweep left and the sagittal one right", () => {
    expect(hangClips([still, sag, cor], 2)).toEqual([cor, sag]);
  });

  it("puts both parasagittals after the coronal sweep, the right one first, and the midline last", () => {
    const [midline, left, right] = (["midline", "left", "right"] as const).map((plane) => ({
      ...clip(plane, "sagittal", 40),
      plane,
    }));
    const all = [midline, left, right, cor].flatMap((each) => each ?? []);
    expect(hangClips(all, 4)).toEqual([cor, right, left, midline]);
  });

  it("takes a still where there is no sweep", () => {
    expect(hangClips([still, mastoid], 2)).toEqual([still, mastoid]);
  });

  it("shows one clip in one pane", () => {
    expect(hangClips([sag, cor], 1)).toEqual([cor]);
  });

  it("never hangs one clip twice", () => {
    expect(hangClips([sag], 2)).toEqual([sag, null]);
  });

  it("hangs nothing for a study without pictures", () => {
    expect(hangClips([], 2)).toEqual([null, null]);
  });
});

describe("going through the clips", () => {
  const all = [still, cor, sag, mastoid];

  it("keeps the order of acquisition and holds at the ends", () => {
    expect(adjacentClip(all, cor, 1)).toBe(sag);
    expect(adjacentClip(all, mastoid, 1)).toBeNull();
  });

  it("marks sides only where the view has them", () => {
    expect([edgeMarks("coronal"), edgeMarks("sagittal"), edgeMarks("mastoid")]).toEqual([["R", "L"], ["A", "P"], null]);
  });
});

describe("peaks", () => {
  it("are local, above an even share, heaviest first", () => {
    const weights = [0.05, 0.3, 0.1, 0.02, 0.2, 0.03].map((weight, at) => ({ sop_uid: "a", frame: at + 1, weight }));
    expect(peaks(weights).map(({ frame }) => frame)).toEqual([2, 5]);
  });

  it("are the heaviest frames where attention is even", () => {
    expect(peaks([1, 2].map((frame) => ({ sop_uid: "a", frame, weight: 0.5 })))).toHaveLength(2);
  });
});

it("tells window, pan and zoom apart by button and modifier", () => {
  const press = (button: number, keys = {}) =>
    dragOf({ button, ctrlKey: false, metaKey: false, shiftKey: false, ...keys });
  expect([press(0), press(1), press(2), press(0, { shiftKey: true }), press(0, { ctrlKey: true })]).toEqual([
    "level",
    "pan",
    "zoom",
    "pan",
    "zoom",
  ]);
});

describe("Prefetcher", () => {
  it("says when all of some frames have come or cannot", async () => {
    const prefetcher = new Prefetcher(
      (id) => (id === "bad" ? Promise.reject(new Error("damaged")) : Promise.resolve()),
      { inFlight: 4, hasRoom: () => true },
    );
    const settled = prefetcher.whenSettled(["a", "bad"], 60_000);
    prefetcher.focus(["a", "bad"]);
    await settled;
    expect(["a", "bad"].every((id) => prefetcher.settled(id))).toBe(true);
  });
  it("does not wait for ever for frames that are slow", async () => {
    vi.useFakeTimers();
    const waiting = new Prefetcher(() => new Promise(() => undefined), {
      inFlight: 1,
      hasRoom: () => true,
    }).whenSettled(["a"], 1000);
    vi.advanceTimersByTime(1000);
    await expect(waiting).resolves.toBeUndefined();
    vi.useRealTimers();
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve));

  it("loads what is on the screen before the rest, a few at a time", async () => {
    const begun: string[] = [];
    const prefetcher = new Prefetcher((id) => Promise.resolve(begun.push(id)), { inFlight: 1, hasRoom: () => true });
    prefetcher.background(["x", "y"]);
    prefetcher.focus(["a", "b"]);
    await settle();
    expect(begun).toEqual(["x", "a", "b", "y"]);
  });

  it("keeps the reason of a frame that cannot be had, and goes on", async () => {
    const prefetcher = new Prefetcher(
      (id) => (id === "bad" ? Promise.reject(new Error("damaged")) : Promise.resolve()),
      { inFlight: 2, hasRoom: () => true },
    );
    prefetcher.focus(["bad", "good"]);
    await settle();
    expect([
      prefetcher.has("good"),
      prefetcher.has("bad"),
      prefetcher.settled("bad"),
      prefetcher.reasonOf("bad"),
    ]).toEqual([true, false, true, "damaged"]);
  });

  it("tries again where the server was away", async () => {
    vi.useFakeTimers();
    let away = true;
    const prefetcher = new Prefetcher(
      () => (away ? Promise.reject(Object.assign(new Error("no answer"), { later: true })) : Promise.resolve()),
      { inFlight: 2, hasRoom: () => true },
    );
    prefetcher.focus(["a", "b"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(prefetcher.settled("a")).toBe(false);
    away = false;
    await vi.advanceTimersByTimeAsync(2500);
    expect([prefetcher.has("a"), prefetcher.has("b")]).toEqual([true, true]);
    vi.useRealTimers();
  });

  it("loads nothing ahead where the cache is full, but what is on the screen", async () => {
    const begun: string[] = [];
    const prefetcher = new Prefetcher((id) => Promise.resolve(begun.push(id)), { inFlight: 2, hasRoom: () => false });
    prefetcher.background(["x"]);
    prefetcher.focus(["a"]);
    await settle();
    expect(begun).toEqual(["a"]);
  });
});

describe("two fingers on a picture", () => {
  it("keep between them what lay between them, as far apart as they went", () => {
    const { factor, at, by } = pinchOf([100, 100], [80, 140], [200, 100]);
    expect(factor).toBeCloseTo(Math.hypot(120, 40) / 100);
    expect([at[0] + by[0], at[1] + by[1]]).toEqual([140, 120]);
  });
  it("do not throw the picture away when they touch the same spot", () => {
    expect(pinchOf([5, 5], [9, 5], [5, 5]).factor).toBe(1);
  });
});
