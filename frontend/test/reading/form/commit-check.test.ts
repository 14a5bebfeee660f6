// @vitest-environment jsdom
import { expect, it } from "vitest";
import { blankForm, type Findings } from "../../../src/reading/answer/findings";
import { CommitCheck } from "../../../src/reading/form/commit-check";
import type { ReadForm } from "../../../src/reading/form/form";
import { Coverage } from "../../../src/viewer/coverage/coverage";
import type { Clip } from "../../../src/viewer/types";
import { clipOf } from "../../viewer/clips";
import { PAPILE } from "../schemas";

const still = (sop_uid: string, plane: Clip["plane"]) => clipOf({ sop_uid, view: "mastoid", plane, frames: 1 });
const clear: Findings = { ...blankForm(true, PAPILE).findings, right: 0, left: 0 };

/** What the commit asks of this answer once these stills were seen; empty where it passes. */
function asked(clips: Clip[], seen: string[], findings: Findings): string {
  let text = "";
  const form = { setWarning: (said: HTMLElement) => (text = said.textContent ?? ""), unseen: () => [] };
  const coverage = new Coverage(clips);
  for (const sop of seen) coverage.markShown(sop, 1);
  const check = new CommitCheck(form as unknown as ReadForm, coverage, clips);
  return check.passes(findings, false) ? "" : text;
}

it("a posterior fossa that was seen on one side is not called clear unasked", () => {
  const words = asked([still("r", "right")], ["r"], clear);
  expect(words).toContain("No mastoid view of the left side was seen, yet the posterior fossa is called clear.");
});

it("one that was seen on both sides is not asked about", () => {
  expect(asked([still("r", "right"), still("l", "left")], ["r", "l"], clear)).toBe("");
});

it("one that is not assessed is not asked about", () => {
  expect(asked([still("r", "right")], ["r"], { ...clear, cerebellar: "not_assessed" })).toBe("");
});

it("a clip of which a part was seen is asked about as such", () => {
  const words = asked([clipOf({ sop_uid: "cor" })], ["cor"], { ...clear, cerebellar: "not_assessed" });
  expect(words).toContain("1 of 1 clip not opened or seen only in part.");
});
