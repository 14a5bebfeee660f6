import { describe, expect, it } from "vitest";
import { card, keyFigure, pair } from "../../src/common/parts";

const texts = (element: Element, selector: string) =>
  [...element.querySelectorAll(selector)].map((each) => each.textContent);

describe("a card", () => {
  it("has title, note and what is at the right in its header, and its content below", () => {
    const element = card({ title: "ROC", note: "out of fold", right: ["CSV"] }, "curve");
    expect(texts(element, "header > *")).toEqual(["ROC", "out of fold", "CSV"]);
    expect(element.lastChild?.textContent).toBe("curve");
  });
  it("has nothing but its title where no more is given", () => {
    const element = card({ title: "ROC", level: "h3" });
    expect(texts(element, "header > *")).toEqual(texts(element, "h3"));
  });
});

describe("figures", () => {
  it("show unknown as a dash, never as nothing", () =>
    expect(texts(keyFigure("AUROC", null, "not measured"), "b, span")).toEqual(["–", "not measured"]));
  it("stand beside their name", () =>
    expect(pair("Studies", 12).map((each) => (each as HTMLElement).outerHTML)).toEqual([
      "<dt>Studies</dt>",
      "<dd>12</dd>",
    ]));
});
