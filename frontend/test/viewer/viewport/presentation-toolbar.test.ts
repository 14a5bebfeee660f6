// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { DEFAULT_PRESENTATION } from "../../../src/viewer/viewport/presentation-state";
import { PresentationToolbar } from "../../../src/viewer/viewport/presentation-toolbar";

const host = { activePane: () => ({}) as never, panes: () => [], stage: () => document.body };

function menu(): HTMLDetailsElement {
  document.body.replaceChildren(...new PresentationToolbar(host).tools());
  return document.querySelector("details") as HTMLDetailsElement;
}

describe("the menu of how a picture is looked at", () => {
  it("closes at a press elsewhere and not at one inside", () => {
    const details = menu();
    details.open = true;
    details.querySelector("button")?.dispatchEvent(new MouseEvent("pointerdown", { bubbles: true }));
    expect(details.open).toBe(true);
    document.body.dispatchEvent(new MouseEvent("pointerdown", { bubbles: true }));
    expect(details.open).toBe(false);
  });
  it("leaves nothing on the document that would keep a study in memory", () => {
    const listen = vi.spyOn(document, "addEventListener");
    menu();
    expect(listen).not.toHaveBeenCalled();
  });
});

describe("what the row below the pictures says", () => {
  it.each([
    [1.2, "γ 1.2"],
    [1, null],
  ])("of gamma %d: %s", (gamma, label) => {
    const active = { picture: { presentation: { ...DEFAULT_PRESENTATION, gamma }, overlay: { lens: { on: false } } } };
    const bar = new PresentationToolbar({ ...host, activePane: () => active as never });
    document.body.replaceChildren(...bar.tools());
    bar.draw();
    const shown = document.querySelector<HTMLElement>("summary .gamma");
    expect(shown?.hidden ? null : shown?.textContent?.trim()).toBe(label);
  });
});
