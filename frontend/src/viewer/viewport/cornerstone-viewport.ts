/**
 * The part that draws pixels: Cornerstone3D stack viewports fed by our own frames. Loaded as a chunk of its own, so
 * that the study, its film strip and its form are on the page before this has been parsed.
 */

import { cache, Enums, getShouldUseCPURendering, type StackViewport, type Types } from "@cornerstonejs/core";
import { s } from "../../common/dom";
import { loadFrame, start } from "../loading/cornerstone-images";
import { apply, type Matrix, matrixOf, undo } from "./orientation";
import { exponent, type Look, PLAIN } from "./presentation-state";

export {
  clearFrames,
  forgetAhead,
  hasFrame,
  imagesOf,
  loadFrame,
  roomToLoadAhead,
} from "../loading/cornerstone-images";

let serial = 0;

type Point = [number, number];

/**
 * One picture on the page. Points are CSS pixels from the element's corner. Turning and flipping are done to the
 * element that Cornerstone draws in, so that both of its renderers only ever zoom and pan, and their points agree.
 */
export class Screen {
  /** What is drawn, for a lens to look at. */
  readonly picture = document.createElement("div");
  private readonly id: string;
  private observer: ResizeObserver;
  private readonly gamma = gammaFilter();
  private images: string[] = [];
  /** Counts what was asked for: an answer that comes after the next question is not shown. */
  private asked = 0;
  private shown: Look = PLAIN;
  /** How many times as large as it was fitted. */
  zoomed = 1;

  constructor(private readonly element: HTMLDivElement) {
    serial += 1;
    this.id = `screen-${serial}`;
    this.picture.className = "picture";
    element.prepend(this.picture, this.gamma.element);
    this.fit();
    start().enableElement({ viewportId: this.id, type: Enums.ViewportType.STACK, element: this.picture });
    // Cornerstone takes the element out of the tab order; its wrapper holds the focus.
    this.picture.removeAttribute("tabindex");
    this.observer = this.watch();
  }

  /** It stands in another window now: only an observer of that one hears of its size. */
  moved(): void {
    this.observer.disconnect();
    this.observer = this.watch();
  }

  private watch(): ResizeObserver {
    const { ResizeObserver } = (this.element.ownerDocument.defaultView ?? window) as Window & typeof globalThis;
    const observer = new ResizeObserver(() => this.resized());
    observer.observe(this.element);
    return observer;
  }

  private get viewport(): StackViewport {
    return start().getViewport(this.id) as StackViewport;
  }

  get ready(): boolean {
    return this.images.length > 0;
  }

  /** False where something else was asked for meanwhile: then that is shown, and this is not. */
  async show(images: string[], index: number): Promise<boolean> {
    if (!(await this.need(images[index]))) return false;
    this.images = images;
    await this.viewport.setStack(images, index);
    this.fitCamera();
    this.apply();
    await this.painted();
    return true;
  }

  async go(index: number): Promise<boolean> {
    if (!(await this.need(this.images[index]))) return false;
    await this.viewport.setImageIdIndex(index);
    return true;
  }

  /** It can be shown at once. */
  has(imageId: string | undefined): boolean {
    return imageId !== undefined && cache.isLoaded(imageId);
  }

  clear(): void {
    this.images = [];
  }

  get look(): Look {
    return this.shown;
  }

  setLook(part: Partial<Look>): void {
    const { orientation } = this.shown;
    const { lower, upper } = { ...this.shown.window, ...part.window };
    const low = Math.max(-255, Math.min(lower, 509));
    this.shown = { ...this.shown, ...part, window: { lower: low, upper: Math.max(low + 1, Math.min(upper, 510)) } };
    if (part.orientation && part.orientation !== orientation)
      this.reorient(orientation.quarter % 2 !== part.orientation.quarter % 2);
    this.apply();
  }

  /** On its side the picture is fitted anew: what filled the box no longer does. */
  private reorient(onItsSide: boolean): void {
    this.resized();
    if (onItsSide && this.images.length) this.fitCamera();
  }

  /** The point under the pointer stays where it is. */
  zoom(factor: number, at?: Point): void {
    if (!this.images.length) return;
    const { clientWidth, clientHeight } = this.picture;
    const fixed = this.viewport.canvasToWorld(at ? undo(this.matrix, at) : [clientWidth / 2, clientHeight / 2]);
    const { parallelScale = 1, focalPoint, position } = this.viewport.getCamera();
    if (!focalPoint || !position) return;
    const towards = (from: Types.Point3): Types.Point3 => {
      const [x, y, z] = from;
      return [fixed[0] + (x - fixed[0]) / factor, fixed[1] + (y - fixed[1]) / factor, z];
    };
    this.viewport.setCamera({
      parallelScale: parallelScale / factor,
      focalPoint: towards(focalPoint),
      position: towards(position),
    });
    this.zoomed *= factor;
    this.viewport.render();
  }

  pan(dx: number, dy: number): void {
    if (!this.images.length) return;
    const from = this.viewport.canvasToWorld([0, 0]);
    const to = this.viewport.canvasToWorld(this.turned([dx, dy]));
    const { focalPoint, position } = this.viewport.getCamera();
    if (!focalPoint || !position) return;
    const moved = ([x, y, z]: Types.Point3): Types.Point3 => [x + from[0] - to[0], y + from[1] - to[1], z];
    this.viewport.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    this.viewport.render();
  }

  /** Where a point of the picture is, in CSS pixels; (0, 0) is its outer corner. Null while there is no picture. */
  place(x: number, y: number): Point | null {
    if (!this.images.length) return null;
    const [left, top] = this.viewport.worldToCanvas([x - this.corner, y - this.corner, 0]);
    return Number.isFinite(left) && Number.isFinite(top) ? apply(this.matrix, [left, top]) : null;
  }

  /** The point of the picture at a place on the screen: what `place` takes. */
  imageAt(at: Point): Point | null {
    if (!this.images.length) return null;
    const [x, y] = this.viewport.canvasToWorld(undo(this.matrix, at));
    return [x + this.corner, y + this.corner];
  }

  /** A step on the screen as one in the picture's own directions. */
  turned(step: Point): Point {
    const [a, b, c, d] = this.matrix;
    return undo([a, b, c, d, 0, 0], step);
  }

  /** From what Cornerstone draws to the screen. */
  get matrix(): Matrix {
    return matrixOf(this.shown.orientation, this.picture.clientWidth, this.picture.clientHeight);
  }

  /** After each time that the picture was drawn. */
  onDrawn(drawn: () => void): void {
    this.picture.addEventListener(Enums.Events.IMAGE_RENDERED, drawn);
  }

  reset(): void {
    this.setLook(PLAIN);
    if (!this.images.length) return;
    this.fitCamera();
    this.apply();
  }

  close(): void {
    this.observer.disconnect();
    start().disableElement(this.id);
  }

  /** The GPU counts from the middle of the first pixel, the CPU path from its corner. */
  private get corner(): number {
    return getShouldUseCPURendering() ? 0 : 0.5;
  }

  /** In the cache, and still what was asked for last; what is there already costs no turn of the event loop. */
  private need(imageId: string | undefined): boolean | Promise<boolean> {
    this.asked += 1;
    const mine = this.asked;
    return imageId === undefined || this.has(imageId) ? true : loadFrame(imageId).then(() => mine === this.asked);
  }

  private apply(): void {
    if (!this.images.length) return;
    this.viewport.setProperties({ voiRange: this.shown.window, invert: this.shown.inverted });
    this.picture.style.filter = this.gamma.set(exponent(this.shown));
    this.viewport.render();
  }

  /** A picture that lies on its side fills the box with its own width as the height of the box. */
  private fit(): void {
    const { clientWidth, clientHeight } = this.element;
    const [w, h] = this.shown.orientation.quarter % 2 ? [clientHeight, clientWidth] : [clientWidth, clientHeight];
    this.picture.style.width = `${w}px`;
    this.picture.style.height = `${h}px`;
    this.picture.style.transform = `matrix(${matrixOf(this.shown.orientation, w, h).join(",")})`;
  }

  private fitCamera(): void {
    this.viewport.resetCamera();
    this.zoomed = 1;
  }

  private resized(): void {
    if (!this.element.clientWidth || !this.element.clientHeight) return;
    this.fit();
    start().resize(true, true);
  }

  private painted(): Promise<void> {
    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
  }
}

/** Gamma after window and level, the same for both renderers: an SVG filter over what they draw. */
function gammaFilter(): { element: SVGSVGElement; set: (power: number) => string } {
  const name = `gamma-${serial}`;
  const channels = (["feFuncR", "feFuncG", "feFuncB"] as const).map((channel) =>
    s(channel, { type: "gamma", amplitude: 1, exponent: 1, offset: 0 }),
  );
  const element = s(
    "svg",
    { class: "vh", "aria-hidden": "true" },
    s("filter", { id: name, "color-interpolation-filters": "sRGB" }, s("feComponentTransfer", {}, ...channels)),
  );
  const set = (power: number) => {
    for (const channel of channels) channel.setAttribute("exponent", String(power));
    return power === 1 ? "" : `url(#${name})`;
  };
  return { element, set };
}
