// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Coverage } from "../../../src/viewer/coverage/coverage";
import { FilmStrip } from "../../../src/viewer/layout/film-strip";
import type { Clip } from "../../../src/viewer/types";
import { clipOf } from "../clips";

// Nothing here is painted.
beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

function said(clip: Clip): (string | null | undefined)[] {
  const strip = new FilmStrip([clip], new Coverage([clip]), () => undefined);
  return [".kind", "i"].map((part) => strip.element.querySelector(part)?.textContent);
}

describe("what the film says of a clip", () => {
  it.each(["volume", "video"] as const)("a %s is called so", (kind) => {
    expect(said(clipOf({ kind }))).toEqual([kind, "not seen"]);
  });
  it("colour Doppler is marked", () => {
    expect(said(clipOf({ flow_frames: [4], looked_frames: 6 }))).toEqual(["Doppler", "not seen"]);
  });
  it.each(["still", "clip"] as const)("a %s is an ordinary entry", (kind) => {
    expect(said(clipOf({ kind }))).toEqual([undefined, "not seen"]);
  });
});
