import { describe, expect, it } from "vitest";
import { isSystemFile, nextBatch, resultsByItem, retryDelay, sharesSent } from "../../src/upload/queue";
import { item, many, stored } from "./items";

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
