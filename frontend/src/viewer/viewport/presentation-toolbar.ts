/** Window and level, gamma, turning, the lens, full screen, overlays off: the row below the pictures, and its keys. */

import { polite } from "../../common/announce";
import { h, icon, pick, setPressed } from "../../common/dom";
import { number } from "../../common/format";
import { keyCap } from "../../common/keymap";
import type { Binding } from "../../common/keys";
import { flipped, isUpright, type Orientation, orientationText, turned } from "./orientation";
import type { Pane } from "./pane";
import { nextGamma, WINDOWS } from "./presentation-state";

const cap = (label: string) => keyCap("Viewer", label);
const ZOOM = 1.25;
const PAN_PX = 40;
const group = "Viewer";

export interface PresentationToolbarHost {
  /** The pane that keys and buttons mean. */
  activePane: () => Pane;
  panes: () => readonly Pane[];
  /** What fills the screen. */
  stage: () => HTMLElement;
}

// As every menu: a choice, or a press elsewhere, closes it. One listener for all
// toolbars: one for each would keep every study's panes and pictures in memory.
document.addEventListener("pointerdown", ({ target }) => {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.looks[open]"))
    if (target instanceof Node && !menu.contains(target)) menu.open = false;
});

export class PresentationToolbar {
  readonly window = h("select", { "aria-label": "Window and level" });
  private readonly inverted = this.toggle("Invert", "B", () => this.host.activePane().picture.invert());
  private readonly lens = this.toggle("Lens", "F9", () => this.toggleLens());
  private readonly overlays = this.toggle("Overlays off", "F8", () => this.toggleOverlays());
  /** Shown where gamma is not 1. */
  private readonly gammaLabel = h("span", { class: "gamma", hidden: true });
  /** Overlays are off. */
  overlaysHidden = false;

  constructor(private readonly host: PresentationToolbarHost) {
    this.window.append(...WINDOWS.map((each, at) => h("option", { value: at }, each.name)));
    this.window.append(h("option", { value: "own", disabled: true }, "Own setting"));
    this.window.addEventListener("change", () => this.setWindow(Number(this.window.value)));
  }

  /** Buttons for the toolbar. */
  tools(): HTMLElement[] {
    const tool = (label: string, key: string, run: () => void) =>
      h("button", { class: "btn btn-quiet", type: "button", onclick: run }, h("span", {}, label), cap(key));
    const menu = h(
      "div",
      { class: "menu" },
      tool("Brighter greys (gamma)", "PageUp", () => this.gamma(1)),
      tool("Darker greys (gamma)", "PageDown", () => this.gamma(-1)),
      tool("Turn right", "F7", () => this.turn(1)),
      tool("Turn left", "F6", () => this.turn(-1)),
      tool("Flip left to right", "Shift+F7", () => this.flip("across")),
      tool("Flip top to bottom", "Shift+F6", () => this.flip("down")),
      tool("Closer", "+", () => this.zoom(ZOOM)),
      tool("Farther", "-", () => this.zoom(1 / ZOOM)),
      this.lens,
      this.overlays,
      tool("Full screen", "F", () => this.fullScreen()),
    );
    const menuBox = h(
      "details",
      { class: "more looks" },
      h("summary", { class: "btn btn-quiet" }, "Look ", this.gammaLabel, icon("dots")),
      menu,
    );
    menuBox.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menuBox.open) return;
      event.preventDefault();
      menuBox.open = false;
      menuBox.querySelector("summary")?.focus();
    });
    return [
      h("label", { class: "field" }, h("span", { "aria-hidden": "true" }, "Window"), this.window, cap("W")),
      this.inverted,
      menuBox,
      tool("Reset", "Z", () => this.reset()),
    ];
  }

  /** As the active pane is now. */
  draw(): void {
    const { window, inverted, gamma } = this.host.activePane().picture.presentation;
    this.gammaLabel.hidden = gamma === 1;
    this.gammaLabel.textContent = `γ ${number(gamma, Number.isInteger(gamma * 10) ? 1 : 2)}`;
    const preset = WINDOWS.findIndex(({ lower, upper }) => lower === window.lower && upper === window.upper);
    pick(this.window, preset < 0 ? "own" : String(preset));
    setPressed(this.inverted, inverted);
    setPressed(this.lens, this.host.activePane().picture.overlay.lens.on);
    setPressed(this.overlays, this.overlaysHidden);
  }

  keys(): Binding[] {
    const key = (name: string | readonly string[], label: string, run: () => void): Binding => ({
      key: name,
      label,
      group,
      bar: false,
      run,
    });
    const move = (name: string, dx: number, dy: number) =>
      key(`Shift+Arrow${name}`, `Move the picture ${name.toLowerCase()}`, () => {
        this.host.activePane().picture.pan(dx, dy);
        polite(`Moved ${name.toLowerCase()}`);
      });
    return [
      key("w", "Next window preset", () => this.nextWindow()),
      key("b", "Invert", () => this.invert()),
      key("PageUp", "Brighter greys (gamma)", () => this.gamma(1)),
      key("PageDown", "Darker greys (gamma)", () => this.gamma(-1)),
      { ...key(["+", "="], "Closer", () => this.zoom(ZOOM)), caps: ["+"] },
      key("-", "Farther", () => this.zoom(1 / ZOOM)),
      key("z", "Reset view", () => this.reset()),
      move("Left", -PAN_PX, 0),
      move("Right", PAN_PX, 0),
      move("Up", 0, -PAN_PX),
      move("Down", 0, PAN_PX),
      key("F7", "Turn right", () => this.turn(1)),
      key("F6", "Turn left", () => this.turn(-1)),
      key("Shift+F7", "Flip left to right", () => this.flip("across")),
      key("Shift+F6", "Flip top to bottom", () => this.flip("down")),
      key("F8", "Overlays off", () => this.toggleOverlays()),
      key("F9", "Lens", () => this.toggleLens()),
      key("f", "Full screen", () => this.fullScreen()),
    ];
  }

  private toggle(label: string, key: string, run: () => void): HTMLButtonElement {
    return h(
      "button",
      { class: "btn btn-quiet", type: "button", "aria-pressed": "false", onclick: run },
      h("span", {}, label),
      cap(key),
    );
  }

  private setWindow(at: number): void {
    const preset = WINDOWS[at];
    if (preset) this.host.activePane().picture.setWindow({ lower: preset.lower, upper: preset.upper });
  }

  private nextWindow(): void {
    const at = Number.isNaN(Number(this.window.value)) ? -1 : Number(this.window.value);
    const next = (at + 1) % WINDOWS.length;
    this.setWindow(next);
    polite(`Window: ${WINDOWS[next]?.name ?? ""}`);
  }

  private gamma(step: 1 | -1): void {
    const pane = this.host.activePane();
    const gamma = nextGamma(pane.picture.presentation.gamma, step);
    pane.picture.setPresentation({ gamma });
    polite(`Gamma ${number(gamma, 2)}`);
  }

  private invert(): void {
    const { picture } = this.host.activePane();
    picture.invert();
    polite(picture.presentation.inverted ? "Inverted" : "Not inverted");
  }

  private zoom(factor: number): void {
    polite(`Zoom ${number(100 * this.host.activePane().picture.zoom(factor), 0)} %`);
  }

  private turn(by: 1 | -1): void {
    this.orient(turned(this.host.activePane().picture.presentation.orientation, by));
  }

  private flip(axis: "across" | "down"): void {
    this.orient(flipped(this.host.activePane().picture.presentation.orientation, axis));
  }

  private orient(orientation: Orientation): void {
    this.host.activePane().picture.orient(orientation);
    polite(isUpright(orientation) ? "As acquired" : orientationText(orientation));
  }

  private reset(): void {
    this.host.activePane().picture.reset();
    polite("View reset");
  }

  private toggleLens(): void {
    const { lens } = this.host.activePane().picture.overlay;
    lens.toggle(!lens.on);
    this.draw();
    polite(lens.on ? "Lens on" : "Lens off");
  }

  /** Drawings and heat maps; side marks and what was turned stay. */
  private toggleOverlays(): void {
    this.overlaysHidden = !this.overlaysHidden;
    for (const pane of this.host.panes()) pane.picture.overlay.hide(this.overlaysHidden);
    this.host.stage().classList.toggle("bare", this.overlaysHidden);
    this.draw();
    polite(this.overlaysHidden ? "Overlays off" : "Overlays on");
  }

  private fullScreen(): void {
    const leave = document.fullscreenElement !== null;
    const done = leave ? document.exitFullscreen() : this.host.stage().requestFullscreen();
    done.catch(() => polite("The browser does not allow full screen here"));
  }
}
