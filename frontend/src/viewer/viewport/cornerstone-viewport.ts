/**
 * The part that draws pixels: Cornerstone3D stack viewports fed by our own frames. Loaded as a chunk of its own, so
 * that the study, its film strip and its form are on the page before this has been parsed.
 */

import { cache, Enums, getShouldUseCPURendering, type StackViewport, type Types } from "@cornerstonejs/core";
import { s } from "../../common/dom";
import { loadFrame, renderingEngine } from "../loading/cornerstone-images";
import { applyInverse, applyMatrix, type Matrix, matrixOf } from "./orientation";
import { DEFAULT_PRESENTATION, exponent, type PresentationState } from "./presentation-state";

export {
  clearFrames,
  dropPrefetched,
  hasFrame,
  hasPrefetchRoom,
  imagesOf,
  loadFrame,
} from "../loading/cornerstone-images";

let serial = 0;

type Point = [number, number];

/**
 * One picture on the page. Points are CSS pixels from the element's corner. Turning and flipping are done to the
 * element that Cornerstone draws in, so that both of its renderers only ever zoom and pan, and their points agree.
 */
export class CornerstoneViewport {
  /** The element that Cornerstone draws in; the magnifier copies its canvas. */
  readonly picture = document.createElement("div");
  private readonly id: string;
  private observer: ResizeObserver;
  private readonly gamma = gammaFilter();
  private images: string[] = [];
  /** Counts requests: a frame that arrives after a later request is not shown. */
  private requests = 0;
  private state: PresentationState = DEFAULT_PRESENTATION;
  /** Magnification; 1 is fitted to the box. */
  zoomed = 1;

  constructor(private readonly element: HTMLDivElement) {
    serial += 1;
    this.id = `screen-${serial}`;
    this.picture.className = "picture";
    element.prepend(this.picture, this.gamma.element);
    this.fit();
    renderingEngine().enableElement({ viewportId: this.id, type: Enums.ViewportType.STACK, element: this.picture });
    // Cornerstone takes the element out of the tab order; its wrapper holds the focus.
    this.picture.removeAttribute("tabindex");
    this.observer = this.observeSize();
  }

  /** The element is in another window now, and only an observer of that window reports its size. */
  windowChanged(): void {
    this.observer.disconnect();
    this.observer = this.observeSize();
  }

  private observeSize(): ResizeObserver {
    const { ResizeObserver } = (this.element.ownerDocument.defaultView ?? window) as Window & typeof globalThis;
    const observer = new ResizeObserver(() => this.resized());
    observer.observe(this.element);
    return observer;
  }

  private get stack(): StackViewport {
    return renderingEngine().getViewport(this.id) as StackViewport;
  }

  get ready(): boolean {
    return this.images.length > 0;
  }

  /** False where a later request has taken over: then this one is not shown. */
  async show(images: string[], index: number): Promise<boolean> {
    if (!(await this.loadLatest(images[index]))) return false;
    this.images = images;
    await this.stack.setStack(images, index);
    this.fitCamera();
    this.applyState();
    await this.painted();
    return true;
  }

  async go(index: number): Promise<boolean> {
    if (!(await this.loadLatest(this.images[index]))) return false;
    await this.stack.setImageIdIndex(index);
    return true;
  }

  /** It can be shown at once. */
  has(imageId: string | undefined): boolean {
    return imageId !== undefined && cache.isLoaded(imageId);
  }

  clear(): void {
    this.images = [];
  }

  get presentation(): PresentationState {
    return this.state;
  }

  setPresentation(part: Partial<PresentationState>): void {
    const { orientation } = this.state;
    const { lower, upper } = { ...this.state.window, ...part.window };
    const low = Math.max(-255, Math.min(lower, 509));
    this.state = { ...this.state, ...part, window: { lower: low, upper: Math.max(low + 1, Math.min(upper, 510)) } };
    if (part.orientation && part.orientation !== orientation)
      this.reorient(orientation.quarter % 2 !== part.orientation.quarter % 2);
    this.applyState();
  }

  /** Turned onto its side, the picture no longer fills the box and is fitted again. */
  private reorient(onItsSide: boolean): void {
    this.resized();
    if (onItsSide && this.images.length) this.fitCamera();
  }

  /** The point under the pointer stays where it is. */
  zoom(factor: number, at?: Point): void {
    if (!this.images.length) return;
    const { clientWidth, clientHeight } = this.picture;
    const fixed = this.stack.canvasToWorld(at ? applyInverse(this.matrix, at) : [clientWidth / 2, clientHeight / 2]);
    const { parallelScale = 1, focalPoint, position } = this.stack.getCamera();
    if (!focalPoint || !position) return;
    const towards = (from: Types.Point3): Types.Point3 => {
      const [x, y, z] = from;
      return [fixed[0] + (x - fixed[0]) / factor, fixed[1] + (y - fixed[1]) / factor, z];
    };
    this.stack.setCamera({
      parallelScale: parallelScale / factor,
      focalPoint: towards(focalPoint),
      position: towards(position),
    });
    this.zoomed *= factor;
    this.stack.render();
  }

  pan(dx: number, dy: number): void {
    if (!this.images.length) return;
    const from = this.stack.canvasToWorld([0, 0]);
    const to = this.stack.canvasToWorld(this.turned([dx, dy]));
    const { focalPoint, position } = this.stack.getCamera();
    if (!focalPoint || !position) return;
    const moved = ([x, y, z]: Types.Point3): Types.Point3 => [x + from[0] - to[0], y + from[1] - to[1], z];
    this.stack.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    this.stack.render();
  }

  /** Where a point of the picture is, in CSS pixels; (0, 0) is its outer corner. Null while there is no picture. */
  toScreen(x: number, y: number): Point | null {
    if (!this.images.length) return null;
    const [left, top] = this.stack.worldToCanvas([x - this.corner, y - this.corner, 0]);
    return Number.isFinite(left) && Number.isFinite(top) ? applyMatrix(this.matrix, [left, top]) : null;
  }

  /** The point of the picture at a place on the screen: what `toScreen` takes. */
  toImage(at: Point): Point | null {
    if (!this.images.length) return null;
    const [x, y] = this.stack.canvasToWorld(applyInverse(this.matrix, at));
    return [x + this.corner, y + this.corner];
  }

  /** A step on the screen as one in the picture's own directions. */
  turned(step: Point): Point {
    const [a, b, c, d] = this.matrix;
    return applyInverse([a, b, c, d, 0, 0], step);
  }

  /** From what Cornerstone draws to the screen. */
  get matrix(): Matrix {
    return matrixOf(this.state.orientation, this.picture.clientWidth, this.picture.clientHeight);
  }

  /** After each time that the picture was drawn. */
  onDrawn(listener: () => void): void {
    this.picture.addEventListener(Enums.Events.IMAGE_RENDERED, listener);
  }

  reset(): void {
    this.setPresentation(DEFAULT_PRESENTATION);
    if (!this.images.length) return;
    this.fitCamera();
    this.applyState();
  }

  close(): void {
    this.observer.disconnect();
    renderingEngine().disableElement(this.id);
  }

  /** The GPU counts from the middle of the first pixel, the CPU path from its corner. */
  private get corner(): number {
    return getShouldUseCPURendering() ? 0 : 0.5;
  }

  /** Whether the image is in the cache and still the latest request; synchronous where it is cached already. */
  private loadLatest(imageId: string | undefined): boolean | Promise<boolean> {
    this.requests += 1;
    const request = this.requests;
    return imageId === undefined || this.has(imageId) ? true : loadFrame(imageId).then(() => request === this.requests);
  }

  private applyState(): void {
    if (!this.images.length) return;
    this.stack.setProperties({ voiRange: this.state.window, invert: this.state.inverted });
    this.picture.style.filter = this.gamma.set(exponent(this.state));
    this.stack.render();
  }

  /** A picture that lies on its side fills the box with its own width as the height of the box. */
  private fit(): void {
    const { clientWidth, clientHeight } = this.element;
    const [w, h] = this.state.orientation.quarter % 2 ? [clientHeight, clientWidth] : [clientWidth, clientHeight];
    this.picture.style.width = `${w}px`;
    this.picture.style.height = `${h}px`;
    this.picture.style.transform = `matrix(${matrixOf(this.state.orientation, w, h).join(",")})`;
  }

  private fitCamera(): void {
    this.stack.resetCamera();
    this.zoomed = 1;
  }

  private resized(): void {
    if (!this.element.clientWidth || !this.element.clientHeight) return;
    this.fit();
    renderingEngine().resize(true, true);
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
