// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Coverage } from "../../../src/viewer/coverage/coverage";
import { FilmStrip } from "../../../src/viewer/layout/film-strip";
import type { Clip } from "../../../src/viewer/types";
import { clipOf } from "../clips";

// Nothing here is painted.
beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

function note(clip: Clip): string | null | undefined {
  const strip = new FilmStrip([clip], new Coverage([clip]), () => undefined);
  return strip.element.querySelector("i")?.textContent;
}

describe("what the film says of a clip", () => {
  it.each(["volume", "video"] as const)("a %s is called so", (kind) => {
    expect(note(clipOf({ kind }))).toBe(`${kind} · not seen`);
  });
  it("colour Doppler is marked", () => {
    expect(note(clipOf({ flow_frames: [4], looked_frames: 6 }))).toBe("Doppler · not seen");
  });
  it.each(["still", "clip"] as const)("a %s is an ordinary entry", (kind) => {
    expect(note(clipOf({ kind }))).toBe("not seen");
  });
});
