import { expect, it } from "vitest";

import { promisedText } from "../../src/reading/reveal";

it("an operating point's name says what it promises, and how surely", () => {
  expect(promisedText("target_0.90")).toBe("0.90");
  expect(promisedText("target_0.90_pac")).toBe("0.90, with 90 % confidence");
});

it("a point that promises nothing says nothing", () => {
  expect(promisedText("youden")).toBeNull();
  expect(promisedText(undefined)).toBeNull();
});
