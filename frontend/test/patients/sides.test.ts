import { describe, expect, it } from "vitest";
import type { IdentitySide, IdentitySuggestion } from "../../src/api/schema";
import { comparedFacts, headerFacts, questionTitle, sideName } from "../../src/patients/sides";

function side(more: Partial<IdentitySide>): IdentitySide {
  return {
    id: 1,
    url: "/patients/1/",
    patient_id: "4711",
    issuer: "",
    name: "North^Anna",
    birth_date: "2026-03-01",
    birth_date_from_age: false,
    sex: "F",
    institution: "",
    twin_group: "",
    studies: [],
    ...more,
  };
}

function question(one: Partial<IdentitySide>, other: Partial<IdentitySide>): IdentitySuggestion {
  return {
    id: 1,
    kind: "clash",
    reason: "",
    differs: [],
    study_uid: "1.2",
    found_at: "2026-03-01T10:00:00Z",
    sides: [side(one), side({ id: 2, ...other })],
  };
}

describe("two sides", () => {
  it("are compared fact by fact, in words", () => {
    const facts = comparedFacts(question({}, { name: "South^Ben", issuer: "WEST" }));
    expect(facts.map(({ name, verdict }) => `${name}: ${verdict}`)).toEqual([
      "Number: same",
      "Issuer: known on one side",
      "Name: differs",
      "Birth date: same",
      "Sex: same",
    ]);
  });

  it("say that a birth date is only reckoned", () => {
    const facts = comparedFacts(question({}, { birth_date_from_age: true }));
    expect(facts.find(({ name }) => name === "Birth date")?.values).toEqual([
      "1 Mar 2026",
      "1 Mar 2026, reckoned from an age",
    ]);
  });

  it("have short names with their issuer", () => {
    expect(sideName(side({ issuer: "EAST" }))).toBe("4711 (EAST), North, Anna");
    expect(sideName(side({ patient_id: "", name: "" }))).toBe("no ID");
  });

  it("give the facts of a header that differ and are stated", () => {
    const asked = question({ name: "Baby of^North" }, { id: null, url: null, sex: "" });
    expect(headerFacts(asked)).toEqual({ name: "North^Anna" });
  });

  it("are asked about by kind", () => {
    expect(questionTitle({ ...question({}, {}), kind: "perhaps_one" })).toBe(
      "One infant under two identifiers, or twins?",
    );
  });
});
