/**
 * The part that draws pixels: Cornerstone3D stack viewports fed by our own frames. Loaded as a chunk of its own, so that
 * the study, its film strip and its form are on the page before this has been parsed.
 */

import {
  Enums,
  RenderingEngine,
  type StackViewport,
  type Types,
  cache,
  getShouldUseCPURendering,
  imageLoader,
  init,
  metaData,
} from "@cornerstonejs/core";
import { type Layout, components, layoutOf, pixelsOf } from "./frames";
import { wantsCpu } from "./mode";
import { type Clip, frameUrl } from "./types";

const SCHEME = "frame";
/**
 * Decoded pixels kept at most; the browser's renderer needs about as much again. Beyond it the frames that were used
 * longest ago make room, and are loaded again when they come on the screen.
 */
const CACHE_BYTES = 640 * 1024 * 1024;
/** Loading ahead stops here, so that it never pushes out what is on the screen. */
const AHEAD_BYTES = 0.8 * CACHE_BYTES;

export const FULL_WINDOW = { lower: 0, upper: 255 } as const;
export interface Window {
  lower: number;
  upper: number;
}

interface Facts {
  url: string;
  photometric: string;
  ahead: boolean;
}

const facts = new Map<string, Facts>();
const arrived = new Map<string, Types.IImage>();
const coming = new Map<string, Promise<void>>();
let engine: RenderingEngine | null = null;
let serial = 0;

/** Tell the loader about a clip; its frames' image ids in order. */
export function imagesOf(clip: Clip, ahead = false): string[] {
  return Array.from({ length: clip.frames }, (_, index) => {
    const url = frameUrl(clip, index + 1);
    const id = `${SCHEME}:${url}`;
    facts.set(id, { url, photometric: clip.photometric, ahead });
    return id;
  });
}

function factsOf(imageId: string): Facts {
  const found = facts.get(imageId);
  if (!found) throw new Error(`unknown image ${imageId}`);
  return found;
}

function imageOf(imageId: string, pixels: Awaited<ReturnType<typeof pixelsOf>>, layout: Layout): Types.IImage {
  const { data, width, height, low, high } = pixels;
  const colour = layout !== "grey";
  const image = {
    imageId,
    rows: height,
    columns: width,
    height,
    width,
    color: colour,
    rgba: layout === "rgba",
    numberOfComponents: components(layout),
    photometricInterpretation: colour ? "RGB" : "MONOCHROME2",
    minPixelValue: low,
    maxPixelValue: high,
    slope: 1,
    intercept: 0,
    windowCenter: 127.5,
    windowWidth: 256,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    invert: false,
    // Distances are computed from the regions of each frame, never from a spacing of the whole image.
    rowPixelSpacing: 1,
    columnPixelSpacing: 1,
    sizeInBytes: data.byteLength,
    dataType: data instanceof Uint8ClampedArray ? "Uint8ClampedArray" : "Uint8Array",
    imageFrame: {},
    getPixelData: () => data,
    // No getCanvas: the CPU renderer would draw its canvas in place of colour pixels at the full window.
  };
  return image as unknown as Types.IImage;
}

/** Cornerstone is given only what has arrived: a load that fails inside it ends in errors that nobody can catch. */
function load(imageId: string): Types.IImageLoadObject {
  const image = arrived.get(imageId);
  arrived.delete(imageId);
  return { promise: image ? Promise.resolve(image) : Promise.reject(new Error(`${imageId} was not loaded`)) };
}

async function fetchImage(imageId: string): Promise<void> {
  const { url, photometric, ahead } = factsOf(imageId);
  const layout = layoutOf(photometric, getShouldUseCPURendering());
  const pixels = await pixelsOf(url, layout, ahead);
  // Its study was left meanwhile: kept, it would never be cleared away.
  if (!facts.has(imageId)) throw new Error("This frame is not needed any more.");
  arrived.set(imageId, imageOf(imageId, pixels, layout));
  await imageLoader.loadAndCacheImage(imageId);
}

function pixelModule(imageId: string): object {
  const layout = layoutOf(factsOf(imageId).photometric, getShouldUseCPURendering());
  return {
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    pixelRepresentation: 0,
    samplesPerPixel: components(layout),
    photometricInterpretation: layout === "grey" ? "MONOCHROME2" : "RGB",
  };
}

function planeModule(imageId: string): object {
  const image = cache.getImage(imageId);
  return {
    frameOfReferenceUID: factsOf(imageId).url,
    rows: image?.rows ?? 1,
    columns: image?.columns ?? 1,
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
    imagePositionPatient: [0, 0, 0],
    pixelSpacing: [1, 1],
    rowPixelSpacing: 1,
    columnPixelSpacing: 1,
  };
}

function metadata(type: string, imageId: string): object | undefined {
  if (!facts.has(imageId)) return undefined;
  if (type === Enums.MetadataModules.IMAGE_PIXEL) return pixelModule(imageId);
  if (type === Enums.MetadataModules.IMAGE_PLANE) return planeModule(imageId);
  if (type === Enums.MetadataModules.GENERAL_SERIES) return { modality: "US" };
  return undefined;
}

function start(): RenderingEngine {
  if (engine) return engine;
  init({ rendering: { useCPURendering: wantsCpu() }, debug: { statsOverlay: false } });
  cache.setMaxCacheSize(CACHE_BYTES);
  imageLoader.registerImageLoader(SCHEME, load);
  metaData.addProvider(metadata, 10_000);
  engine = new RenderingEngine("fontanelle");
  document.documentElement.dataset["rendering"] = getShouldUseCPURendering() ? "cpu" : "gpu";
  return engine;
}

/** Into the cache, once however many ask; rejects with the reason that the server gives. */
export function loadFrame(imageId: string): Promise<void> {
  start();
  if (cache.isLoaded(imageId)) return Promise.resolve();
  const loading = coming.get(imageId) ?? fetchImage(imageId).finally(() => coming.delete(imageId));
  coming.set(imageId, loading);
  return loading;
}

/** Whether the picture at this address is here already. */
export function hasFrame(url: string): boolean {
  return cache.isLoaded(`${SCHEME}:${url}`);
}

export function roomToLoadAhead(): boolean {
  return cache.getCacheSize() < AHEAD_BYTES;
}

/** Frames of the study before this one are not needed again; those that were loaded for the next one stay. */
export function clearFrames(): void {
  for (const [id, { ahead }] of [...facts]) {
    if (ahead) continue;
    if (cache.isLoaded(id)) cache.removeImageLoadObject(id, { force: true });
    facts.delete(id);
  }
}

/** Another study comes next: what was loaded ahead for the one before is given up. */
export function forgetAhead(): void {
  for (const [id, { ahead }] of [...facts]) {
    if (!ahead) continue;
    if (cache.isLoaded(id)) cache.removeImageLoadObject(id, { force: true });
    facts.delete(id);
  }
}

type Point = [number, number];

/** One picture on the page. Points are CSS pixels from the element's corner. */
export class Screen {
  private readonly id: string;
  private readonly observer: ResizeObserver;
  private images: string[] = [];
  private range: Window = { ...FULL_WINDOW };
  private inverted = false;

  constructor(private readonly element: HTMLDivElement) {
    serial += 1;
    this.id = `screen-${serial}`;
    start().enableElement({ viewportId: this.id, type: Enums.ViewportType.STACK, element });
    // Cornerstone takes the element out of the tab order; its wrapper holds the focus.
    element.removeAttribute("tabindex");
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(element);
  }

  private get viewport(): StackViewport {
    return start().getViewport(this.id) as StackViewport;
  }

  async show(images: string[], index: number): Promise<void> {
    await this.need(images[index]);
    this.images = images;
    await this.viewport.setStack(images, index);
    this.viewport.resetCamera();
    this.apply();
    await this.painted();
  }

  async go(index: number): Promise<void> {
    await this.need(this.images[index]);
    await this.viewport.setImageIdIndex(index);
  }

  clear(): void {
    this.images = [];
  }

  get window(): Window {
    return { ...this.range };
  }

  setWindow(window: Window): void {
    const lower = Math.max(-255, Math.min(window.lower, 509));
    this.range = { lower, upper: Math.max(lower + 1, Math.min(window.upper, 510)) };
    this.apply();
  }

  get invert(): boolean {
    return this.inverted;
  }

  setInvert(on: boolean): void {
    this.inverted = on;
    this.apply();
  }

  /** The point under the pointer stays where it is. */
  zoom(factor: number, at?: Point): void {
    if (!this.images.length) return;
    const { clientWidth, clientHeight } = this.element;
    const fixed = this.viewport.canvasToWorld(at ?? [clientWidth / 2, clientHeight / 2]);
    const { parallelScale = 1, focalPoint, position } = this.viewport.getCamera();
    if (!focalPoint || !position) return;
    const towards = (from: Types.Point3): Types.Point3 => {
      const [x, y, z] = from;
      return [fixed[0] + (x - fixed[0]) / factor, fixed[1] + (y - fixed[1]) / factor, z];
    };
    this.viewport.setCamera({ parallelScale: parallelScale / factor, focalPoint: towards(focalPoint), position: towards(position) });
    this.viewport.render();
  }

  pan(dx: number, dy: number): void {
    if (!this.images.length) return;
    const from = this.viewport.canvasToWorld([0, 0]);
    const to = this.viewport.canvasToWorld([dx, dy]);
    const { focalPoint, position } = this.viewport.getCamera();
    if (!focalPoint || !position) return;
    const moved = ([x, y, z]: Types.Point3): Types.Point3 => [x + from[0] - to[0], y + from[1] - to[1], z];
    this.viewport.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    this.viewport.render();
  }

  /** Where a point of the picture is, in CSS pixels; (0, 0) is its outer corner. Null while there is no picture. */
  place(x: number, y: number): Point | null {
    if (!this.images.length) return null;
    // The GPU counts from the middle of the first pixel, the CPU path from its corner.
    const shift = getShouldUseCPURendering() ? 0 : 0.5;
    const [left, top] = this.viewport.worldToCanvas([x - shift, y - shift, 0]);
    return [left, top];
  }

  /** After each time that the picture was drawn. */
  onDrawn(drawn: () => void): void {
    this.element.addEventListener(Enums.Events.IMAGE_RENDERED, drawn);
  }

  reset(): void {
    this.range = { ...FULL_WINDOW };
    this.inverted = false;
    if (!this.images.length) return;
    this.viewport.resetCamera();
    this.apply();
  }

  close(): void {
    this.observer.disconnect();
    start().disableElement(this.id);
  }

  /** In the cache; what is there already costs no turn of the event loop. */
  private need(imageId: string | undefined): Promise<void> | undefined {
    return imageId === undefined || cache.isLoaded(imageId) ? undefined : loadFrame(imageId);
  }

  private apply(): void {
    if (!this.images.length) return;
    this.viewport.setProperties({ voiRange: this.range, invert: this.inverted });
    this.viewport.render();
  }

  private resized(): void {
    if (!this.element.clientWidth || !this.element.clientHeight) return;
    start().resize(true, true);
  }

  private painted(): Promise<void> {
    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
  }
}
