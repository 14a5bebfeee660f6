import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/common/api";
import {
  type Item,
  isSystemFile,
  nextBatch,
  type Result,
  resultsByItem,
  retryDelay,
  sharesSent,
} from "../src/upload/queue";
import { Sender, type Transport } from "../src/upload/sender";

const item = (path: string, size = 10): Item => ({ path, file: { size, name: path } as File });
const stored = (path: string): Result => ({ path, outcome: "stored", reason: "", study_uid: "1.2" });
const many = (count: number) => Array.from({ length: count }, (_, index) => item(`f${index}`));
const settled = () => vi.waitFor(() => undefined);

async function finish(sender: Sender): Promise<void> {
  await vi.waitFor(() => expect(sender.running).toBe(false));
}

describe("batches", () => {
  it("hold at most twenty files", () => expect(nextBatch(many(45)).length).toBe(20));
  it("hold at most the given bytes, but a file that is larger still goes, alone", () => {
    expect(nextBatch([item("a", 40), item("b", 40)], { files: 20, bytes: 64 }).map((one) => one.path)).toEqual(["a"]);
    expect(nextBatch([item("big", 999), item("b", 1)], { files: 20, bytes: 64 }).map((one) => one.path)).toEqual([
      "big",
    ]);
  });
  it("send an archive alone", () => {
    expect(nextBatch([item("a"), item("b.ZIP"), item("c")]).map((one) => one.path)).toEqual(["a"]);
    expect(nextBatch([item("b.zip"), item("c")]).map((one) => one.path)).toEqual(["b.zip"]);
  });
  it("leave out what operating systems put into folders", () =>
    expect(["x/.DS_Store", "Thumbs.db", "._IM1", "IM1", "DICOMDIR"].filter(isSystemFile)).toEqual([
      "x/.DS_Store",
      "Thumbs.db",
      "._IM1",
    ]));
});

describe("progress and answers", () => {
  it("gives the share of a request to its files in order", () =>
    expect(sharesSent(0.5, [10, 20, 10])).toEqual([1, 0.5, 0]));
  it("calls an empty file sent only at the end", () =>
    expect([sharesSent(0.5, [0, 10]), sharesSent(1, [0, 10])]).toEqual([
      [0, 0.5],
      [1, 1],
    ]));
  it("finds the file of an answer by path, else by name", () => {
    const items = [item("a/IM1"), item("b/IM1"), item("c/IM2")];
    const answers = resultsByItem(items, [stored("b/IM1"), stored("IM2"), stored("IM1")]);
    expect(items.map((one) => answers.get(one)!.map((result) => result.path))).toEqual([["IM1"], ["b/IM1"], ["IM2"]]);
  });
  it("gives each of two files of one name its own answer", () => {
    const items = [item("IM1"), item("IM1")];
    const answers = resultsByItem(items, [stored("IM1"), stored("IM1")]);
    expect(items.map((one) => answers.get(one)!.length)).toEqual([1, 1]);
  });
  it("gives all answers of an archive to it", () => {
    const zip = item("x.zip");
    expect(resultsByItem([zip], [stored("x.zip/1"), stored("x.zip/2")]).get(zip)!.length).toBe(2);
  });
  it("waits longer after each failure, up to a limit", () =>
    expect([0, 1, 2, 9].map(retryDelay)).toEqual([1000, 2000, 4000, 15_000]));
});

describe("the sender", () => {
  it("sends everything, request after request", async () => {
    const transport = vi.fn<Transport>(async (items) => items.map((one) => stored(one.path)));
    const sender = new Sender(transport, () => undefined);
    sender.add(many(45));
    await finish(sender);
    expect(transport.mock.calls.map(([items]) => items.length)).toEqual([20, 20, 5]);
    expect(sender.entries.every((entry) => entry.state === "done")).toBe(true);
  });
  it("tries again after a lost network until the files are there", async () => {
    let failures = 3;
    const transport: Transport = async (items) => {
      if (failures-- > 0) throw new ApiError(0, "offline", "no answer");
      return items.map((one) => stored(one.path));
    };
    const slept: number[] = [];
    const sender = new Sender(
      transport,
      () => undefined,
      async (ms) => void slept.push(ms),
    );
    sender.add(many(2));
    await finish(sender);
    expect(slept).toEqual([1000, 2000, 4000]);
    expect(sender.entries.map((entry) => entry.state)).toEqual(["done", "done"]);
  });
  it("stops at a full disk and keeps every file for later", async () => {
    let full = true;
    const transport: Transport = async (items) => {
      if (full) throw new ApiError(507, "disk_full", "full");
      return items.map((one) => stored(one.path));
    };
    const sender = new Sender(transport, () => undefined);
    sender.add(many(3));
    await finish(sender);
    expect([sender.stop?.kind, sender.entries.every((entry) => entry.state === "queued")]).toEqual(["disk_full", true]);
    full = false;
    sender.retry();
    await finish(sender);
    expect(sender.entries.every((entry) => entry.state === "done")).toBe(true);
  });
  it("halves a request that is too large, and lists a single file that is", async () => {
    const sizes: number[] = [];
    const transport: Transport = async (items) => {
      sizes.push(items.length);
      if (items.length > 1 || items[0]!.path === "f0") throw new ApiError(413, "too_large", "too large");
      return items.map((one) => stored(one.path));
    };
    const sender = new Sender(transport, () => undefined);
    sender.add(many(4));
    await finish(sender);
    expect(sizes.slice(0, 3)).toEqual([4, 2, 1]);
    expect(sender.entries.map((entry) => entry.state)).toEqual(["failed", "done", "done", "done"]);
  });
  it("calls a file that got no answer not sent, and sends it again when asked", async () => {
    let silent = true;
    const transport: Transport = async (items) => (silent ? [] : items.map((one) => stored(one.path)));
    const sender = new Sender(transport, () => undefined);
    sender.add([item("a")]);
    await finish(sender);
    expect(sender.entries[0]!.state).toBe("failed");
    silent = false;
    sender.retry();
    await finish(sender);
    expect(sender.entries[0]!.state).toBe("done");
  });
  it("stops when told, and says that the rest was not sent", async () => {
    const transport: Transport = (_, __, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new ApiError(0, "offline", ""))));
    const sender = new Sender(transport, () => undefined);
    sender.add(many(2));
    await settled();
    sender.halt();
    await finish(sender);
    expect([sender.stop?.kind, sender.entries.map((entry) => entry.state)]).toEqual(["stopped", ["queued", "queued"]]);
  });
});
