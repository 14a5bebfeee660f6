import { expect, it } from "vitest";

import { promised } from "../../src/reading/reveal";

it("an operating point's name says what it promises, and how surely", () => {
  expect(promised("target_0.90")).toBe("0.90");
  expect(promised("target_0.90_pac")).toBe("0.90, with 90 % confidence");
});

it("a point that promises nothing says nothing", () => {
  expect(promised("youden")).toBeNull();
  expect(promised(undefined)).toBeNull();
});
