/** Attention per frame of one clip as a strip of bars with its numbers; after the commit only. */

import { fill, h, s } from "../../common/dom";
import type { Clip, Weight } from "../types";
import { weightsOf, weightText } from "./peaks";

const WIDTH = 440;
const HEIGHT = 48;

function pitchOf(clip: Clip | null): number {
  return WIDTH / Math.max(1, clip?.frames ?? 1);
}

export class AttentionStrip {
  readonly element = h("div", { class: "att", hidden: true });
  private readonly cursor = s("rect", { class: "att-now", y: 1, height: HEIGHT - 1 });
  private clip: Clip | null = null;
  private weights: Map<number, number> | null = null;

  /** Null attention hides it. */
  draw(clip: Clip | null, attention: readonly Weight[] | null): void {
    this.clip = clip;
    const weights = clip && attention ? weightsOf(attention, clip.sop_uid) : null;
    this.weights = weights;
    this.element.hidden = weights === null;
    if (!clip || !weights) return fill(this.element);
    const top = Math.max(...(attention ?? []).map((entry) => entry.weight), 1e-9);
    const [best, most] = [...weights].sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
    const peakText = best ? `highest ${weightText(most)}, frame ${best}` : "no frame of this clip was scored";
    fill(
      this.element,
      h("span", {}, "Attention per frame"),
      h("span", {}, peakText),
      this.bars(weights, top, peakText),
    );
  }

  follow(index: number): void {
    const pitch = pitchOf(this.clip);
    this.cursor.setAttribute("x", String(index * pitch));
    this.cursor.setAttribute("width", String(pitch));
  }

  /** The weight of this frame (from 1) in words; empty before the commit. */
  weightNote(frame: number): string {
    if (!this.weights) return "";
    const weight = this.weights.get(frame);
    return `weight ${weight === undefined ? "none: not scored" : weightText(weight)}`;
  }

  private bars(weights: Map<number, number>, top: number, peakText: string): SVGSVGElement {
    const pitch = pitchOf(this.clip);
    const bars = [...weights].map(([frame, weight]) => {
      const height = Math.max(0.7, (weight / top) * (HEIGHT - 4));
      return s(
        "rect",
        {
          class: weight > top / 2 ? "att-bar pk" : "att-bar",
          x: (frame - 1) * pitch + pitch * 0.08,
          y: HEIGHT - height,
          width: pitch * 0.84,
          height,
        },
        s("title", {}, `frame ${frame}: ${weightText(weight)}`),
      );
    });
    return s(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `Attention per frame: ${peakText}`,
      },
      ...bars,
      this.cursor,
    );
  }
}
