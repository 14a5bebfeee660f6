import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bindingWithKey, keyCap, keysOf, parseKeymap, saveKeymap } from "../../src/common/keymap";
import { type Binding, bind, capsOf, exceptInControls, nameOf, startKeys } from "../../src/common/keys";

const bound: (() => void)[] = [];
const PLAIN = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

function on(binding: Partial<Binding> & Pick<Binding, "key" | "run">): void {
  bound.push(bind({ label: "Do", group: "Test", ...binding }));
}

function press(key: string, target: Element = document.body, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  document.body.innerHTML = '<input id="i"><button id="b">B</button><div id="keys"></div>';
  localStorage.clear();
  startKeys();
});
afterEach(() => {
  for (const unbind of bound.splice(0)) unbind();
});

describe("keys", () => {
  it("runs what is bound, and keeps the browser from it", () => {
    const run = vi.fn();
    on({ key: "j", run });
    expect(press("j").defaultPrevented).toBe(true);
    expect(run).toHaveBeenCalledOnce();
  });
  it("leaves letters to a field", () => {
    const run = vi.fn();
    on({ key: "j", run });
    expect(press("j", document.getElementById("i")!).defaultPrevented).toBe(false);
    expect(run).not.toHaveBeenCalled();
  });
  it("leaves Enter to a focused button, unless it is told otherwise", () => {
    const polite = vi.fn();
    on({ key: "Enter", run: polite });
    press("Enter", document.getElementById("b")!);
    expect(polite).not.toHaveBeenCalled();
    const greedy = vi.fn();
    on({ key: "Enter", run: greedy, overControls: true });
    press("Enter", document.getElementById("b")!);
    expect(greedy).toHaveBeenCalledOnce();
  });
  it("prefers the later binding, and falls back when it goes", () => {
    const early = vi.fn();
    const late = vi.fn();
    on({ key: "x", run: early });
    const unbind = bind({ key: "x", label: "Late", group: "Test", run: late });
    press("x");
    unbind();
    press("x");
    expect([early.mock.calls.length, late.mock.calls.length]).toEqual([1, 1]);
  });
  it("passes over a binding whose condition does not hold", () => {
    const run = vi.fn();
    on({ key: "x", run, when: () => false });
    expect(press("x").defaultPrevented).toBe(false);
  });
  it("keeps single letters still when they are switched off, but not Enter", () => {
    localStorage.setItem("fontanelle.letters-off", "1");
    const letter = vi.fn();
    const enter = vi.fn();
    on({ key: "j", run: letter });
    on({ key: "Enter", run: enter });
    press("j");
    press("Enter");
    expect([letter.mock.calls.length, enter.mock.calls.length]).toEqual([0, 1]);
  });
  it("does not take a letter for its shortcut with Ctrl", () => {
    const run = vi.fn();
    on({ key: "c", run });
    press("c", document.body, { ctrlKey: true });
    expect(run).not.toHaveBeenCalled();
  });
  it("reads a key of another alphabet by its place", () => {
    const event = { key: "о", code: "KeyJ", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
    expect(nameOf(event)).toBe("j");
    expect(nameOf({ ...event, key: "?", code: "Slash", shiftKey: true })).toBe("?");
  });
  it.each([
    ["US", "0123456789", {}],
    ["AZERTY", "à&é\"'(-è_ç", {}],
    ["AZERTY with Shift", "0123456789", { shiftKey: true }],
    ["Czech", "é+ěščřžýáí", {}],
    ["Persian", "۰۱۲۳۴۵۶۷۸۹", {}],
  ])("reads each digit of the row by its place on %s", (_layout, row, held) => {
    const names = [...row].map((key, digit) => nameOf({ ...PLAIN, ...held, key, code: `Digit${digit}` }));
    expect(names.join("")).toBe("0123456789");
  });
  it("takes the digits of the numeric keypad", () => {
    expect(nameOf({ ...PLAIN, key: "3", code: "Numpad3" })).toBe("3");
    expect(nameOf({ ...PLAIN, key: "-", code: "NumpadSubtract" })).toBe("-");
  });
  it.each(["#", "§", "£"])("takes %s for what it is, with Shift on the place of a digit", (key) => {
    expect(nameOf({ ...PLAIN, key, code: "Digit3", shiftKey: true })).toBe(key);
  });
  it("takes what AltGr gives for what it is", () => {
    const getModifierState = (name: string) => name === "AltGraph";
    expect(nameOf({ ...PLAIN, key: "[", code: "Digit5", getModifierState })).toBe("[");
  });
  it("runs the same for a digit in its place on every layout", () => {
    const run = vi.fn();
    on({ key: "3", run });
    for (const key of ["3", '"', "š"]) press(key, document.body, { code: "Digit3" });
    expect(run).toHaveBeenCalledTimes(3);
  });
  it("draws the key bar from what is bound and means something now", async () => {
    on({ key: "j", label: "Move", run: () => undefined });
    on({ key: "z", label: "Hidden", run: () => undefined, when: () => false });
    await Promise.resolve();
    await Promise.resolve();
    expect(document.getElementById("keys")!.textContent).toBe("JMove");
  });
});

describe("arrows of the viewer", () => {
  it("are left to a slider and taken everywhere else", () => {
    const run = vi.fn();
    on({ key: "ArrowLeft", run: exceptInControls(run) });
    document.body.innerHTML = '<input type="range"><button>x</button>';
    expect(press("ArrowLeft", document.querySelector("input")!).defaultPrevented).toBe(false);
    expect(run).not.toHaveBeenCalled();
    expect(press("ArrowLeft", document.querySelector("button")!).defaultPrevented).toBe(true);
    expect(run).toHaveBeenCalledOnce();
  });
});

describe("a person's own keys", () => {
  const layout: Binding = { key: "g", label: "Layout", group: "Viewer", run: () => undefined };
  const view: Binding = { key: ["j", "Ctrl+j"], caps: ["J"], label: "View", group: "Viewer", run: () => undefined };

  async function own(keys: Record<string, string>): Promise<void> {
    vi.stubGlobal("fetch", () =>
      Promise.resolve(
        new Response(JSON.stringify({ keys }), { status: 200, headers: { "Content-Type": "application/json" } }),
      ),
    );
    await saveKeymap(keys);
    vi.unstubAllGlobals();
  }
  afterEach(() => own({}));

  it("take the place of the first default, and its caps", async () => {
    await own({ "Viewer/j": "f" });
    expect([keysOf(view), capsOf(view), keysOf(layout)]).toEqual([["f", "Ctrl+j"], ["F"], ["g"]]);
  });
  it("are refused where another has the key", async () => {
    expect(bindingWithKey([layout, view], view, "g")).toBe(layout);
    expect(bindingWithKey([layout, view], view, "j")).toBeNull();
    await own({ "Viewer/g": "f" });
    expect([bindingWithKey([layout, view], view, "g"), bindingWithKey([layout, view], view, "f")]).toEqual([
      null,
      layout,
    ]);
  });
  it("run what they are changed to, and the default no more", async () => {
    const run = vi.fn();
    on({ key: "m", group: "Test", run });
    await own({ "Test/m": "y" });
    press("m");
    press("y");
    expect(run).toHaveBeenCalledOnce();
  });
  it("show on the caps that stand in the page", async () => {
    const cap = keyCap("Read", "K");
    document.body.append(cap);
    await own({ "Read/k": "Shift+F2" });
    expect(cap.textContent).toBe("Shift F2");
  });
  it("are read from a file only if it holds some", () => {
    expect(parseKeymap('{"keys": {"Viewer/g": "f"}}')).toEqual({ "Viewer/g": "f" });
    for (const text of ["{}", "[]", '{"keys": {"a": 1}}', "no"]) expect(() => parseKeymap(text)).toThrow();
  });
});
