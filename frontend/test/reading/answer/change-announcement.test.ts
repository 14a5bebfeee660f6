import { describe, expect, it } from "vitest";
import { describeChange } from "../../../src/reading/answer/change-announcement";
import { blankForm, type Form } from "../../../src/reading/answer/findings";
import type { Drawing } from "../../../src/viewer/annotation/drawing";
import { PAPILE } from "../schemas";

const CLIPS = [{ sop_uid: "1.2", label: "COR sweep", regions: [] }];
const LENGTH: Drawing = {
  uid: "a",
  tool: "length",
  preset: "",
  side: "",
  sop_uid: "1.2",
  frame: 3,
  label: "",
  points: [
    [0, 0],
    [10, 0],
  ],
  measured: { value: 12.3, unit: "mm", reason: "", more: {} } as never,
};
const form = blankForm(false, PAPILE);
const having = (part: Partial<Form["findings"]>): Form => ({ ...form, findings: { ...form.findings, ...part } });

describe("what is heard of a change", () => {
  it("a keyframe by its clip and frame, once", () => {
    expect(describeChange(form, having({ keyframes: [{ sop_uid: "1.2", frame: 3 }] }), CLIPS)).toBe(
      "Keyframe: COR sweep, frame 3",
    );
  });

  it("a keyframe that is taken away by the same name", () => {
    expect(describeChange(having({ keyframes: [{ sop_uid: "1.2", frame: 3 }] }), form, CLIPS)).toBe(
      "Keyframe taken away: COR sweep, frame 3",
    );
  });

  it("a drawing by its number and unit", () => {
    expect(describeChange(form, having({ drawings: [LENGTH] }), CLIPS)).toBe("Length, 12.3 mm");
  });

  it("a drawing that was moved by its new number", () => {
    const moved = { ...LENGTH, measured: { ...LENGTH.measured, value: 20 } as never };
    expect(describeChange(having({ drawings: [LENGTH] }), having({ drawings: [moved] }), CLIPS)).toBe(
      "Length, 20.0 mm",
    );
  });

  it("a drawing outside any region as uncalibrated, with the reason", () => {
    const { measured: _measured, ...plain } = LENGTH;
    expect(describeChange(form, having({ drawings: [plain] }), CLIPS)).toMatch(/^Length, uncalibrated: /);
  });

  it("a drawing that is gone by its name", () => {
    expect(describeChange(having({ drawings: [LENGTH] }), form, CLIPS)).toBe("Length deleted");
  });
});
