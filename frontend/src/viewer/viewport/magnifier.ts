/** A lens that follows the pointer: what is on the screen, larger, window and level as they are. */

import { h } from "../../common/dom";
import type { Matrix } from "./orientation";

const SIZE = 200;
const POWER = 2.5;

export interface LensSource {
  /** What Cornerstone draws in. */
  picture: HTMLElement;
  matrix: Matrix;
}

export class Magnifier {
  readonly element = h("canvas", { class: "lens", width: SIZE, height: SIZE, hidden: true, "aria-hidden": "true" });
  private at: readonly [number, number] | null = null;
  private pointerOver = false;
  on = false;

  constructor(
    private readonly box: HTMLElement,
    private readonly source: () => LensSource | null,
  ) {
    box.addEventListener("pointermove", (event) => this.follow(event));
    box.addEventListener("pointerleave", () => this.pointerLeft());
  }

  toggle(on: boolean): void {
    this.on = on;
    // Without a pointer over the picture it looks at its middle.
    if (on && !this.pointerOver) this.at = [this.box.clientWidth / 2, this.box.clientHeight / 2];
    this.draw();
  }

  draw(): void {
    const source = this.on ? this.source() : null;
    const canvas = source?.picture.querySelector("canvas");
    const context = this.element.getContext("2d");
    this.element.hidden = !canvas || !this.at;
    if (!source || !canvas || !context || !this.at || !canvas.clientWidth) return;
    const [x, y] = this.at;
    const [a, b, c, d, e, f] = source.matrix;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillRect(0, 0, SIZE, SIZE);
    context.imageSmoothingEnabled = false;
    context.filter = getComputedStyle(source.picture).filter || "none";
    context.translate(SIZE / 2, SIZE / 2);
    context.scale(POWER, POWER);
    context.translate(-x, -y);
    context.transform(a, b, c, d, e, f);
    context.scale(canvas.clientWidth / canvas.width, canvas.clientHeight / canvas.height);
    context.drawImage(canvas, 0, 0);
    this.element.style.left = `${Math.round(x - SIZE / 2)}px`;
    this.element.style.top = `${Math.round(y - SIZE / 2)}px`;
  }

  private follow(event: PointerEvent): void {
    const box = this.box.getBoundingClientRect();
    this.pointerOver = true;
    this.at = [event.clientX - box.left, event.clientY - box.top];
    if (this.on) this.draw();
  }

  private pointerLeft(): void {
    this.pointerOver = false;
    this.at = null;
    if (this.on) this.draw();
  }
}
