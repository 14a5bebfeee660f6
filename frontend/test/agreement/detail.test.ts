import { beforeEach, describe, expect, it } from "vitest";
import { detailCards } from "../../src/agreement/detail";
import type { Detail } from "../../src/agreement/types";
import { none, sure } from "./estimates";

describe("one finding", () => {
  beforeEach(() => document.body.replaceChildren());
  const pair = (a: string, b: string, matrix: number[][]) => ({ a, b, n: 10, observed: sure, kappa: sure, matrix });
  const detail: Detail = {
    name: "phi",
    label: "Parenchymal",
    scale: "nominal",
    words: ["no", "yes"],
    studies: 10,
    panel: {
      n: 10,
      observed: sure,
      ac1: sure,
      alpha: none,
      fleiss: none,
      categories: [{ name: "yes", share: 0.1, kappa: none }],
    },
    pairs: [
      pair("Ann", "Bo", [
        [9, 0],
        [0, 1],
      ]),
      pair("Ann", "Cy", [
        [7, 1],
        [1, 1],
      ]),
    ],
  };
  it("shows the first pair's matrix, and that of the pair that is chosen", () => {
    document.body.append(...(detailCards(detail) as HTMLElement[]));
    expect(document.querySelector(".matrix td.same")!.textContent).toBe("9");
    const second = document.querySelectorAll<HTMLButtonElement>("button[aria-pressed]")[1]!;
    second.click();
    expect(document.querySelector(".matrix td.same")!.textContent).toBe("7");
    expect(second.getAttribute("aria-pressed")).toBe("true");
  });
  it("says what is missing instead of an empty table", () => {
    document.body.append(...(detailCards({ ...detail, pairs: [] }) as HTMLElement[]));
    expect(document.body.textContent).toContain("No two readers have answered the same study.");
  });
});
