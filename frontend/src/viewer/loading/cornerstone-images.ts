/** Frames as Cornerstone images: fetched by our own loader, kept up to a limit, described with what it asks for. */

import {
  cache,
  Enums,
  getShouldUseCPURendering,
  imageLoader,
  init,
  metaData,
  RenderingEngine,
  type Types,
} from "@cornerstonejs/core";
import { type Clip, frameUrl } from "../types";
import { componentCount, type Layout, layoutOf, pixelsOf } from "./frame-decoder";
import { wantsCpu } from "./renderer-choice";

const SCHEME = "frame";
/**
 * Decoded pixels kept at most; the browser's renderer needs about as much again. Beyond it the frames that were used
 * longest ago make room, and are loaded again when they come on the screen.
 */
const CACHE_BYTES = 640 * 1024 * 1024;
/** Loading ahead stops here, so that it never pushes out what is on the screen. */
const AHEAD_BYTES = 0.8 * CACHE_BYTES;

interface ImageFacts {
  url: string;
  photometric: string;
  ahead: boolean;
}

const imageFacts = new Map<string, ImageFacts>();
const decodedImages = new Map<string, Types.IImage>();
const loads = new Map<string, Promise<void>>();
let engine: RenderingEngine | null = null;

/** Register the frames of a clip; returns their image ids in order. */
export function imagesOf(clip: Clip, ahead = false): string[] {
  return Array.from({ length: clip.frames }, (_, index) => {
    const url = frameUrl(clip, index + 1);
    const id = `${SCHEME}:${url}`;
    imageFacts.set(id, { url, photometric: clip.photometric, ahead });
    return id;
  });
}

function factsOf(imageId: string): ImageFacts {
  const facts = imageFacts.get(imageId);
  if (!facts) throw new Error(`unknown image ${imageId}`);
  return facts;
}

function imageOf(imageId: string, pixels: Awaited<ReturnType<typeof pixelsOf>>, layout: Layout): Types.IImage {
  const { data, width, height } = pixels;
  const colour = layout !== "grey";
  const image = {
    imageId,
    rows: height,
    columns: width,
    height,
    width,
    color: colour,
    rgba: layout === "rgba",
    numberOfComponents: componentCount(layout),
    photometricInterpretation: colour ? "RGB" : "MONOCHROME2",
    minPixelValue: 0,
    maxPixelValue: 255,
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

/** Cornerstone gets only images that are decoded: a load that fails inside it raises errors that cannot be caught. */
function load(imageId: string): Types.IImageLoadObject {
  const image = decodedImages.get(imageId);
  decodedImages.delete(imageId);
  return { promise: image ? Promise.resolve(image) : Promise.reject(new Error(`${imageId} was not loaded`)) };
}

async function fetchImage(imageId: string): Promise<void> {
  const { url, photometric, ahead } = factsOf(imageId);
  const layout = layoutOf(photometric, getShouldUseCPURendering());
  const pixels = await pixelsOf(url, layout, ahead);
  // Its study was closed meanwhile: a cached image would never be cleared.
  if (!imageFacts.has(imageId)) throw new Error("This frame is not needed any more.");
  decodedImages.set(imageId, imageOf(imageId, pixels, layout));
  await imageLoader.loadAndCacheImage(imageId);
}

function pixelModule(imageId: string): object {
  const layout = layoutOf(factsOf(imageId).photometric, getShouldUseCPURendering());
  return {
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    pixelRepresentation: 0,
    samplesPerPixel: componentCount(layout),
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
  if (!imageFacts.has(imageId)) return undefined;
  if (type === Enums.MetadataModules.IMAGE_PIXEL) return pixelModule(imageId);
  if (type === Enums.MetadataModules.IMAGE_PLANE) return planeModule(imageId);
  if (type === Enums.MetadataModules.GENERAL_SERIES) return { modality: "US" };
  return undefined;
}

/** Cornerstone's engine, created at the first call. */
export function renderingEngine(): RenderingEngine {
  if (engine) return engine;
  init({ rendering: { useCPURendering: wantsCpu() }, debug: { statsOverlay: false } });
  cache.setMaxCacheSize(CACHE_BYTES);
  imageLoader.registerImageLoader(SCHEME, load);
  metaData.addProvider(metadata, 10_000);
  engine = new RenderingEngine("fontanelle");
  document.documentElement.dataset["rendering"] = getShouldUseCPURendering() ? "cpu" : "gpu";
  return engine;
}

/** Load into the cache, once for concurrent calls; rejects with the server's reason. */
export function loadFrame(imageId: string): Promise<void> {
  renderingEngine();
  if (cache.isLoaded(imageId)) return Promise.resolve();
  const loading = loads.get(imageId) ?? fetchImage(imageId).finally(() => loads.delete(imageId));
  loads.set(imageId, loading);
  return loading;
}

/** Whether the picture at this address is here already. */
export function hasFrame(url: string): boolean {
  return cache.isLoaded(`${SCHEME}:${url}`);
}

export function hasPrefetchRoom(): boolean {
  return cache.getCacheSize() < AHEAD_BYTES;
}

/** Remove the frames of the open study; prefetched ones of the next study stay. */
export function clearFrames(): void {
  for (const [id, { ahead }] of [...imageFacts]) {
    if (ahead) continue;
    if (cache.isLoaded(id)) cache.removeImageLoadObject(id, { force: true });
    imageFacts.delete(id);
  }
}

/** Remove prefetched frames: another study comes next. */
export function dropPrefetched(): void {
  for (const [id, { ahead }] of [...imageFacts]) {
    if (!ahead) continue;
    if (cache.isLoaded(id)) cache.removeImageLoadObject(id, { force: true });
    imageFacts.delete(id);
  }
}
