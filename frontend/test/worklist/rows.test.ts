import { describe, expect, it } from "vitest";
import { buildRow, demoWarning } from "../../src/worklist/rows";
import { options, row, suspected } from "./sample-rows";

describe("a row", () => {
  it("shows unknown as a dash and says it", () => {
    const cell = buildRow(row("a"), options).children[4]!;
    expect([cell.querySelector("[aria-hidden]")!.textContent, cell.querySelector(".vh")!.textContent]).toEqual([
      "–",
      "unknown",
    ]);
  });
  it("tells in words which of the infants under one number it is", () => {
    const identity = {
      short: "one number, two infants",
      text: "One number, two infants: A (this one) / B.",
      url: null,
    };
    const shown = buildRow(row("1", { patient_name: "South^Ben", identity }), options);
    expect(shown.textContent).toContain("P-1 South, Benone number, two infants");
    expect(shown.getAttribute("aria-label")).toContain("A (this one) / B");
  });

  it("has no probability where a site hides it", () => {
    expect(buildRow(suspected("a"), { ...options, showProbability: false }).textContent).not.toContain("0.88");
  });
  it("warns of a model that knows phantoms only, except beside a phantom", () => {
    const model = { id: 1, name: "demo", version: "0123456789ab", demo_warning: "means nothing" };
    expect([demoWarning(row("a", { model, phantom: false })), demoWarning(row("a", { model }))]).toEqual([
      "means nothing",
      "",
    ]);
  });
  it("never reads text of a study as markup", () => {
    const element = buildRow(row("a", { patient_id: "<img src=x>" }), options);
    expect(element.querySelector("img")).toBeNull();
  });
});
