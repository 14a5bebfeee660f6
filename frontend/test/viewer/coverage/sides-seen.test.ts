import { describe, expect, it } from "vitest";
import { sidesSeen } from "../../../src/viewer/coverage/sides-seen";
import type { Clip } from "../../../src/viewer/types";
import { clipOf } from "../clips";

const mastoid = (sop_uid: string, plane: Clip["plane"]) => clipOf({ sop_uid, view: "mastoid", plane });
const clips = [mastoid("right", "right"), mastoid("left", "left"), clipOf({ sop_uid: "cor" })];

function seen(all: readonly Clip[], ...sops: string[]): string[] {
  return sidesSeen(all, "mastoid", (sop) => sops.includes(sop));
}

describe("the sides that were seen in a view", () => {
  it("are those of its clips that were seen, not of those that exist", () => {
    expect([seen(clips), seen(clips, "left"), seen(clips, "left", "right")]).toEqual([[], ["left"], ["right", "left"]]);
  });
  it("are none where the clip's side was not named", () => {
    expect(seen([mastoid("one", ""), mastoid("two", "")], "one", "two")).toEqual([]);
  });
  it("do not come from another view", () => {
    expect(seen([clipOf({ sop_uid: "sag", view: "sagittal", plane: "left" })], "sag")).toEqual([]);
  });
});
