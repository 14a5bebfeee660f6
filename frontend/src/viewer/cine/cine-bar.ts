/**
 * The bar below a picture: play, the frame slider with its ribbon, the rate and where it comes from, speed and loop.
 */

import { fill, h, icon, pick, s, setPressed } from "../../common/dom";
import { number } from "../../common/format";
import type { Coverage } from "../coverage/coverage";
import { CoverageRibbon } from "../coverage/coverage-ribbon";
import type { Clip } from "../types";
import type { Playback } from "./cine";

const FPS_SOURCE = {
  frame_time: "from the file",
  vector: "from the file, frame by frame",
  recommended: "recommended in the file",
  default: "assumed",
} as const;
const SPEEDS = [0.25, 0.5, 1, 2, 4];

export interface CineBarHost {
  toggle: () => void;
  go: (frame: number) => void;
  playback: (part: Partial<Playback>) => void;
  /** Loop from or to the frame on the screen; the whole clip again. */
  loop: (end: "first" | "last" | null) => void;
}

export interface CineState {
  clip: Clip | null;
  /** From 1. */
  frame: number;
  loaded: number;
  active: boolean;
  playback: Playback;
}

/** The next speed up or down from this one. */
export function nextSpeed(speed: number, step: 1 | -1): number {
  const next = step > 0 ? SPEEDS.find((each) => each > speed) : SPEEDS.findLast((each) => each < speed);
  return next ?? speed;
}

export function speedName(speed: number): string {
  return speed === 0.25 ? "¼×" : speed === 0.5 ? "½×" : `${number(speed, Number.isInteger(speed) ? 0 : 2)}×`;
}

function rateText(fps: number): string {
  return `${number(fps, Number.isInteger(fps) ? 0 : 1)} fps`;
}

/** Where a clip's rate comes from, and why the one in the file is not used. */
export function rateSourceText({ fps_source: source, fps_flaw: flaw }: Pick<Clip, "fps_source" | "fps_flaw">): string {
  const words = `Frame rate ${FPS_SOURCE[source]}`;
  return source === "default"
    ? `${words}: ${flaw || "the file states none"}`
    : [words, flaw].filter(Boolean).join("; ");
}

/** The speed that gives the rate recommended by the device; null where that is the real-time rate. */
function recommendedSpeed(clip: Clip | null): number | null {
  if (!clip?.display_rate || clip.fps_source === "recommended" || clip.fps_source === "default") return null;
  const speed = clip.display_rate / clip.fps;
  return Math.abs(speed - 1) > 0.05 ? speed : null;
}

function speedOptions(clip: Clip | null): [number, string][] {
  const own = recommendedSpeed(clip);
  return [
    ...SPEEDS.map((speed): [number, string] => [speed, speedName(speed)]),
    ...(own ? [[own, `recommended, ${rateText(clip?.display_rate ?? 0)}`] as [number, string]] : []),
  ];
}

/**
 * The speed that the reader set, where this clip can be played at it; else its own time.
 * A recommended speed of another clip is not carried over.
 */
export function speedFor(clip: Clip | null, speed: number): number {
  return speedOptions(clip).some(([each]) => each === speed) ? speed : 1;
}

export class CineBar {
  readonly element: HTMLElement;
  private readonly button = h("button", { class: "btn btn-quiet", type: "button" });
  private readonly slider = h("input", { type: "range", min: 1, max: 1, value: 1, step: 1 });
  private readonly readout = h("span", { class: "fr" });
  private readonly speed = h("select", { class: "speed", title: "Speed" });
  private readonly pingPongButton = h(
    "button",
    { class: "btn btn-quiet", type: "button", "aria-pressed": "false" },
    "To and fro",
  );
  private readonly loop = h("div", { class: "loop", hidden: true });
  private readonly ribbon = new CoverageRibbon();
  private readonly loopMenu: HTMLDetailsElement;
  private clip: Clip | null = null;

  constructor(
    name: string,
    title: string,
    private readonly host: CineBarHost,
  ) {
    this.button.addEventListener("click", host.toggle);
    this.slider.setAttribute("aria-label", `${title}: frame`);
    this.slider.addEventListener("input", () => host.go(Number(this.slider.value)));
    this.speed.setAttribute("aria-label", `${title}: speed`);
    this.speed.addEventListener("change", () => host.playback({ speed: Number(this.speed.value) }));
    this.loopMenu = this.makeLoopMenu(title);
    const track = h("div", { class: "track" }, this.slider, this.loop);
    this.element = h(
      "div",
      { class: "cine", role: "group", "aria-label": `${title}: cine`, "data-cine": name },
      this.button,
      track,
      this.ribbon.element,
      this.readout,
      this.speed,
      this.loopMenu,
    );
  }

  /** Replace the clip. */
  setClip(clip: Clip | null): void {
    this.clip = clip;
    this.slider.max = String(Math.max(1, clip?.frames ?? 1));
    this.slider.disabled = !clip || clip.frames < 2;
    const options = speedOptions(clip);
    // Equal choices are not redrawn: see `pick`.
    if (options.map(([, name]) => name).join() !== [...this.speed.options].map(({ text }) => text).join())
      fill(this.speed, ...options.map(([speed, name]) => h("option", { value: speed }, name)));
    const still = (clip?.frames ?? 0) < 2;
    this.speed.hidden = still;
    this.loopMenu.hidden = still;
    this.loopMenu.open = false;
  }

  draw(state: CineState, quiet: boolean): void {
    this.slider.value = String(state.frame);
    this.drawReadout(state);
    if (quiet) return;
    this.slider.setAttribute("aria-valuetext", state.clip ? `frame ${state.frame} of ${state.clip.frames}` : "no clip");
  }

  drawReadout({ clip, frame, loaded, playback }: CineState): void {
    if (!clip) return this.setReadout("");
    if (clip.frames < 2) return this.setReadout("still");
    if (loaded < clip.frames) return this.setReadout(`loading ${loaded} / ${clip.frames}`);
    const assumed = clip.fps_source === "default" ? " assumed" : "";
    this.setReadout(`${frame} / ${clip.frames} · ${rateText(clip.fps * playback.speed)}${assumed}`);
    this.readout.title = rateSourceText(clip);
  }

  private setReadout(text: string): void {
    this.readout.textContent = text;
  }

  setMarks(frames: readonly number[]): void {
    this.ribbon.marks = frames;
  }

  drawCoverage(coverage: Coverage): void {
    this.ribbon.draw(coverage, this.clip?.sop_uid, this.clip?.frames ?? 1);
  }

  drawPlayback({ active, playback }: CineState): void {
    this.button.setAttribute("aria-disabled", String((this.clip?.frames ?? 0) < 2));
    const bars = s(
      "svg",
      { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
      s("path", { d: "M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z" }),
    );
    const play = icon("play");
    play.setAttribute("class", "icon");
    fill(
      this.button,
      active ? bars : play,
      h("kbd", { class: "word", "aria-hidden": "true" }, "Space"),
      h("span", { class: "vh" }, active ? "Pause" : "Play"),
    );
    pick(this.speed, String(playback.speed));
    setPressed(this.pingPongButton, playback.pingPong);
    this.drawLoop(playback.range);
  }

  private drawLoop(range: Playback["range"]): void {
    this.loop.hidden = range === null;
    if (!range || !this.clip) return;
    const [first, last] = [Math.min(...range), Math.max(...range)];
    this.loop.style.setProperty("--from", String(first / this.clip.frames));
    this.loop.style.setProperty("--to", String((last + 1) / this.clip.frames));
    this.loop.title = `Loops over frames ${first + 1} to ${last + 1}`;
  }

  private makeLoopMenu(title: string): HTMLDetailsElement {
    const item = (words: string, run: () => void) =>
      h("button", { class: "btn btn-quiet", type: "button", onclick: run }, words);
    this.pingPongButton.addEventListener("click", () =>
      this.host.playback({ pingPong: this.pingPongButton.getAttribute("aria-pressed") !== "true" }),
    );
    const dots = h("summary", { class: "btn btn-quiet", "aria-label": `${title}: loop` }, icon("dots"));
    return h(
      "details",
      { class: "more" },
      dots,
      h(
        "div",
        { class: "menu" },
        this.pingPongButton,
        item("Loop from this frame", () => this.host.loop("first")),
        item("Loop to this frame", () => this.host.loop("last")),
        item("Whole clip", () => this.host.loop(null)),
      ),
    );
  }
}
