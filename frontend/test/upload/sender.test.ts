import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../../src/common/api";
import { Sender, type Transport } from "../../src/upload/sender";
import { item, many, stored } from "./items";

const settled = () => vi.waitFor(() => undefined);

async function finish(sender: Sender): Promise<void> {
  await vi.waitFor(() => expect(sender.running).toBe(false));
}

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
