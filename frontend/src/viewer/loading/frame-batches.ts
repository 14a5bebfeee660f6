/**
 * Frames of one clip that are requested at the same moment are fetched together:
 * one request and one entry in the audit trail.
 */

export type Decode = (blob: Blob) => Promise<ImageBitmap>;
/** Fetches a run of frames; null where it fails. */
export type Fetch = (url: string) => Promise<ArrayBuffer | null>;

/** Most frames that the server sends at once. */
export const MAX_RUN = 16;

interface FrameRequest {
  frame: number;
  resolve: (bitmap: Promise<ImageBitmap> | null) => void;
}

/** Pictures by frame, out of the response. Throws where its format is wrong. */
export function unpack(bytes: ArrayBuffer): Map<number, Blob> {
  const length = new DataView(bytes).getUint32(0);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))) as {
    frame: number;
    type: string;
    size: number;
  }[];
  let at = 4 + length;
  const pictures = new Map<number, Blob>();
  for (const { frame, type, size } of header) {
    pictures.set(frame, new Blob([new Uint8Array(bytes, at, size)], { type }));
    at += size;
  }
  return pictures;
}

/** Runs of consecutive frames, none longer than `MAX_RUN`. */
export function runsOf(frames: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const frame of [...new Set(frames)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[1] === frame - 1 && frame - last[0] < MAX_RUN) last[1] = frame;
    else runs.push([frame, frame]);
  }
  return runs;
}

export class FrameBatcher {
  private readonly waiting = new Map<string, FrameRequest[]>();

  constructor(
    private readonly fetch: Fetch,
    private readonly decode: Decode,
  ) {}

  /** The frame's picture, or null where it has to be fetched alone. `base` is the address of the clip's frames. */
  async request(base: string, frame: number): Promise<ImageBitmap | null> {
    const bitmap = await new Promise<Promise<ImageBitmap> | null>((resolve) => {
      const requests = this.waiting.get(base);
      if (requests) requests.push({ frame, resolve });
      else {
        this.waiting.set(base, [{ frame, resolve }]);
        // All requests of this turn of the event loop go into one batch.
        queueMicrotask(() => void this.send(base));
      }
    });
    return bitmap;
  }

  private async send(base: string): Promise<void> {
    const requests = this.waiting.get(base) ?? [];
    this.waiting.delete(base);
    await Promise.all(runsOf(requests.map(({ frame }) => frame)).map((run) => this.run(base, run, requests)));
  }

  private async run(base: string, [first, last]: [number, number], requests: readonly FrameRequest[]): Promise<void> {
    const requestsOfRun = requests.filter(({ frame }) => frame >= first && frame <= last);
    let pictures = new Map<number, Blob>();
    try {
      const bytes = first === last ? null : await this.fetch(`${base}${first}-${last}/`);
      if (bytes) pictures = unpack(bytes);
    } catch {
      // Each frame is fetched alone, with its own error.
    }
    for (const { frame, resolve } of requestsOfRun) {
      const blob = pictures.get(frame);
      resolve(blob ? this.decode(blob) : null);
    }
  }
}
