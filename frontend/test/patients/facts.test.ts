import { describe, expect, it } from "vitest";
import { changedFacts, type Facts, fieldProblems, toFacts, toFields } from "../../src/patients/facts";

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
