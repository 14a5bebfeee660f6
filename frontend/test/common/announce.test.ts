// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { polite } from "../../src/common/announce";

const region = () => document.getElementById("say-polite")?.textContent;

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = '<div id="say-polite"></div>';
});
afterEach(() => vi.useRealTimers());

it("says what happened at one moment in one go, with one stop between", () => {
  polite("Drawn on the picture.");
  polite("Length, 12.3 mm");
  vi.advanceTimersByTime(100);
  expect(region()).toBe("Drawn on the picture. Length, 12.3 mm");
});

it("takes it away before a dialog that closes would have it read again", () => {
  polite("Prior taken away");
  vi.advanceTimersByTime(6000);
  expect(region()).toBe("");
});

it("leaves what was said since", () => {
  polite("Clip 4");
  vi.advanceTimersByTime(3000);
  polite("Clip 5");
  vi.advanceTimersByTime(1500);
  expect(region()).toBe("Clip 5");
});
