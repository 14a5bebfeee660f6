/**
 * A frame from the server as pixels: fetched, decoded by the browser, converted to what Cornerstone's renderer reads.
 */

import { api, errorOf, reportSignedOut } from "../../common/api";
import { FrameBatcher } from "./frame-batches";

export class FrameError extends Error {
  constructor(
    reason: string,
    /** Asking again may help: no answer came, or the sign-in is lost. */
    readonly retryable = false,
  ) {
    super(reason);
  }
}

const PREFETCHED = new Map<string, Promise<ImageBitmap>>();
let signedOut = false;

async function refusal(response: Response): Promise<FrameError> {
  const body: unknown = await response.json().catch(() => null);
  const error = errorOf(response.status, body);
  if (error.signedOut) reportSignedOut();
  signedOut ||= error.signedOut;
  return new FrameError(error.detail, error.signedOut || error.transient);
}

/** Pictures arrive again: a request through the API hides the signed-out banner. */
function signedIn(url: string): void {
  signedOut = false;
  void api.get(url.replace(/clips\/.*$/, "")).catch(() => undefined);
}

async function fetchBitmap(url: string, ahead = false): Promise<ImageBitmap> {
  let response: Response;
  try {
    response = await fetch(url, {
      credentials: "same-origin",
      headers: { Accept: "image/*", ...(ahead ? { "X-Fontanelle-Ahead": "1" } : {}) },
    });
  } catch {
    throw new FrameError("The server did not answer.", true);
  }
  if (!response.ok) throw await refusal(response);
  if (signedOut) signedIn(url);
  return decode(await response.blob());
}

async function decode(blob: Blob): Promise<ImageBitmap> {
  try {
    // The pixels as they were written: no colour management, no alpha arithmetic.
    return await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new FrameError("The picture that the server sent cannot be decoded.");
  }
}

/** Begin fetching before the viewer's code is loaded; the first `bitmapOf` of the address gets the result. */
export function prefetchBitmap(url: string): void {
  if (PREFETCHED.has(url)) return;
  const bitmap = fetchBitmap(url);
  bitmap.catch(() => undefined);
  PREFETCHED.set(url, bitmap);
}

/** `ahead` marks the request of a study that is not open yet, for the audit trail. */
export function bitmapOf(url: string, ahead = false): Promise<ImageBitmap> {
  const prefetched = PREFETCHED.get(url);
  PREFETCHED.delete(url);
  if (prefetched) return prefetched;
  const [, base = "", number = "0"] = /^(.*\/frames\/)(\d+)\/$/.exec(url) ?? [];
  const batcher = ahead ? BATCHERS.ahead : BATCHERS.now;
  return base
    ? batcher.request(base, Number(number)).then((bitmap) => bitmap ?? fetchBitmap(url, ahead))
    : fetchBitmap(url, ahead);
}

/** A run of frames; null where it fails: then each frame is fetched alone, with its own error. */
async function fetchRun(url: string, ahead: boolean): Promise<ArrayBuffer | null> {
  const response = await fetch(url, {
    credentials: "same-origin",
    headers: ahead ? { "X-Fontanelle-Ahead": "1" } : {},
  }).catch(() => null);
  return response?.ok ? response.arrayBuffer() : null;
}

const BATCHERS = {
  now: new FrameBatcher((url) => fetchRun(url, false), decode),
  ahead: new FrameBatcher((url) => fetchRun(url, true), decode),
};

/** What a renderer reads: grey alone for grey clips; in colour RGBA on the CPU and RGB on the GPU. */
export type Layout = "grey" | "rgb" | "rgba";

export function layoutOf(photometric: string, cpu: boolean): Layout {
  if (photometric.startsWith("MONOCHROME")) return "grey";
  return cpu ? "rgba" : "rgb";
}

export function componentCount(layout: Layout): 1 | 3 | 4 {
  return layout === "grey" ? 1 : layout === "rgb" ? 3 : 4;
}

/** RGBA bytes [4 N] as grey [N], RGB [3 N] or themselves. A grey picture has the same value in all three channels. */
export function convert(rgba: Uint8ClampedArray, layout: Layout): Uint8Array | Uint8ClampedArray {
  return layout === "rgba" ? rgba : layout === "grey" ? greyOf(rgba) : rgbOf(rgba);
}

/** Each pixel is read as one 32-bit number, of which the byte array keeps the lowest byte, red. */
function greyOf(rgba: Uint8ClampedArray): Uint8Array {
  return new Uint8Array(new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4));
}

function rgbOf(rgba: Uint8ClampedArray): Uint8Array {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; to < out.length; from += 4, to += 3) {
    out[to] = rgba[from] as number;
    out[to + 1] = rgba[from + 1] as number;
    out[to + 2] = rgba[from + 2] as number;
  }
  return out;
}

export interface Pixels {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

let scratch: OffscreenCanvasRenderingContext2D | null = null;

function scratchContext(width: number, height: number): OffscreenCanvasRenderingContext2D {
  if (!scratch || scratch.canvas.width !== width || scratch.canvas.height !== height) {
    scratch = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  }
  if (!scratch) throw new FrameError("This browser gives no canvas to read pixels from.");
  return scratch;
}

export async function pixelsOf(url: string, layout: Layout, ahead = false): Promise<Pixels> {
  const bitmap = await bitmapOf(url, ahead);
  const { width, height } = bitmap;
  const context = scratchContext(width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { data: convert(context.getImageData(0, 0, width, height).data, layout), width, height };
}
