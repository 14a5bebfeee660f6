import { describe, expect, it } from "vitest";
import { detailOf, errorOf } from "../src/common/api";
import { changedFacts, type Facts, fieldProblems, toFacts, toFields } from "../src/patients/facts";
import { durationRange } from "../src/training/list";
import { stepOf } from "../src/training/run";

describe("errors", () => {
  it("give the server's sentence, or its fields", () => {
    expect(detailOf({ detail: "No.", code: "x" }, 400)).toBe("No.");
    expect(detailOf({ birth_weight_g: ["Ensure this value is at most 7000."] }, 400)).toBe(
      "birth weight g: Ensure this value is at most 7000.",
    );
    expect(detailOf({ into: ["No patient has that identifier."] }, 400)).toBe("No patient has that identifier.");
  });
  it("say something even where the server said nothing", () => expect(detailOf(null, 500)).toContain("500"));
  it("take a lost session for what it is, and a refusal for a refusal", () => {
    expect(errorOf(401, null).signedOut).toBe(true);
    expect(errorOf(403, { detail: "CSRF Failed: cookie missing" }).signedOut).toBe(true);
    expect(errorOf(403, { detail: "Your role does not open this." }).signedOut).toBe(false);
  });
  it("know what is worth another try", () =>
    expect(
      [0, 429, 502, 503, 504, 400, 409, 500, 507]
        .map((status) => errorOf(status, null))
        .map((error) => error.transient && error.status !== 507),
    ).toEqual([true, true, true, true, true, false, false, false, false]));
});

describe("infant facts", () => {
  const facts: Facts = { gestational_age_days: 191, birth_weight_g: 1010, sex: "F", twin_group: "" };
  it("survive the form", () => expect(toFacts(toFields(facts))).toEqual(facts));
  it("stay unknown where the form is empty", () =>
    expect(toFacts(toFields({ ...facts, gestational_age_days: null, birth_weight_g: null }))).toMatchObject({
      gestational_age_days: null,
      birth_weight_g: null,
    }));
  it("send only what changed", () =>
    expect(changedFacts(facts, { ...facts, birth_weight_g: null })).toEqual({ birth_weight_g: null }));
  it("say what is wrong with impossible ages and weights", () => {
    const fields = toFields(facts);
    expect(fieldProblems(fields)).toEqual({});
    expect(Object.keys(fieldProblems({ ...fields, weeks: "19" }))).toEqual(["age"]);
    expect(Object.keys(fieldProblems({ ...fields, days: "7" }))).toEqual(["age"]);
    expect(Object.keys(fieldProblems({ ...fields, weeks: "", days: "3" }))).toEqual(["age"]);
    expect(Object.keys(fieldProblems({ ...fields, weight: "1.5" }))).toEqual(["weight"]);
  });
});

describe("a training run", () => {
  const fold = (state: "waiting" | "running" | "done") => ({ fold: 0, state, fraction: 0, auroc: null });
  it("stands at the step that its folds tell", () => {
    expect(stepOf("queued", [])).toBe(1);
    expect(stepOf("running", [])).toBe(2);
    expect(stepOf("running", [fold("done"), fold("running")])).toBe(3);
    expect(stepOf("running", [fold("done"), fold("done")])).toBe(4);
    expect(stepOf("done", [])).toBe(6);
  });
  it("gives its estimate as a range", () =>
    expect([durationRange([30, 50]), durationRange([120, 340]), durationRange(null)]).toEqual([
      "30 to 50 s",
      "2 to 6 min",
      "not known yet",
    ]));
});
