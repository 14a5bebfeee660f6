// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { PLAIN } from "../../../src/viewer/viewport/presentation-state";
import { LookBar } from "../../../src/viewer/viewport/presentation-toolbar";

const panes = { active: () => ({}) as never, every: () => [], whole: () => document.body };

function menu(): HTMLDetailsElement {
  document.body.replaceChildren(...new LookBar(panes).tools());
  return document.querySelector("details") as HTMLDetailsElement;
}

describe("the menu of how a picture is looked at", () => {
  it("closes at a press elsewhere and not at one inside", () => {
    const look = menu();
    look.open = true;
    look.querySelector("button")?.dispatchEvent(new MouseEvent("pointerdown", { bubbles: true }));
    expect(look.open).toBe(true);
    document.body.dispatchEvent(new MouseEvent("pointerdown", { bubbles: true }));
    expect(look.open).toBe(false);
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
  ])("of gamma %d: %s", (gamma, said) => {
    const active = { picture: { look: { ...PLAIN, gamma }, easel: { lens: { on: false } } } };
    const bar = new LookBar({ ...panes, active: () => active as never });
    document.body.replaceChildren(...bar.tools());
    bar.draw();
    const shown = document.querySelector<HTMLElement>("summary .gamma");
    expect(shown?.hidden ? null : shown?.textContent?.trim()).toBe(said);
  });
});
