import { describe, expect, it, vi } from "vitest";
import { FrameBatcher, MAX_RUN, runsOf, unpack } from "../../../src/viewer/loading/frame-batches";

function answer(frames: number[]): ArrayBuffer {
  const head = new TextEncoder().encode(JSON.stringify(frames.map((frame) => ({ frame, type: "image/png", size: 2 }))));
  const bytes = new Uint8Array(4 + head.length + 2 * frames.length);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, 4);
  for (const [at, frame] of frames.entries()) bytes.set([frame, frame], 4 + head.length + 2 * at);
  return bytes.buffer;
}
const decode = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer())[0] as unknown as ImageBitmap;

describe("frames that are wanted together", () => {
  it("are runs of neighbours, none longer than the server gives", () => {
    expect(runsOf([3, 1, 2, 7, 2])).toEqual([
      [1, 3],
      [7, 7],
    ]);
    expect(runsOf(Array.from({ length: MAX_RUN + 1 }, (_, at) => at + 1))).toEqual([
      [1, MAX_RUN],
      [MAX_RUN + 1, MAX_RUN + 1],
    ]);
  });
  it("come in one answer, each with its own picture", async () => {
    const fetch = vi.fn(() => Promise.resolve(answer([4, 5, 6])));
    const batcher = new FrameBatcher(fetch, decode);
    expect(await Promise.all([4, 5, 6].map((frame) => batcher.request("/f/", frame)))).toEqual([4, 5, 6]);
    expect(fetch.mock.calls).toEqual([["/f/4-6/"]]);
  });
  it("are asked for alone where the answer leaves them out, is refused or is nonsense", async () => {
    const batcher = new FrameBatcher(() => Promise.resolve(answer([4])), decode);
    expect(await Promise.all([4, 5].map((frame) => batcher.request("/f/", frame)))).toEqual([4, null]);
    const refused = new FrameBatcher(() => Promise.resolve(null), decode);
    expect(await Promise.all([4, 5].map((frame) => refused.request("/f/", frame)))).toEqual([null, null]);
    const nonsense = new FrameBatcher(() => Promise.resolve(new ArrayBuffer(2)), decode);
    expect(await Promise.all([4, 5].map((frame) => nonsense.request("/f/", frame)))).toEqual([null, null]);
  });
  it("travels alone when it is the only one", async () => {
    const fetch = vi.fn(() => Promise.resolve(null));
    expect(await new FrameBatcher(fetch, decode).request("/f/", 9)).toBeNull();
    expect(fetch).not.toHaveBeenCalled();
  });
  it("names no picture outside the answer's bytes", () => {
    expect(() => unpack(answer([1]).slice(0, 30))).toThrow();
  });
});
