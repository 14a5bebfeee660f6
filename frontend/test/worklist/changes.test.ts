import { describe, expect, it } from "vitest";
import { changesText, changeText, goneText, groupByBand, mergePages, newlyFlagged } from "../../src/worklist/changes";
import { row, suspected } from "./sample-rows";

describe("changes of the list", () => {
  it("tells a study that has just been scored, and its place", () => {
    const [change] = newlyFlagged([row("a"), row("b", { flag: null })], [suspected("b"), row("a")]);
    expect(changeText(change!, true)).toBe("P-b suspected, 0.88, now 1st");
  });
  it("keeps the probability to itself where a site hides it", () => {
    const [change] = newlyFlagged([], [suspected("b")]);
    expect(changeText(change!, false)).toBe("P-b suspected, now 1st");
  });
  it("says nothing of studies that only moved or waited", () =>
    expect(newlyFlagged([row("a"), row("b")], [row("b"), row("a", { waiting_seconds: 99 })])).toEqual([]));
  it("does not take the unseen rest of a long list for news", () => {
    expect(newlyFlagged([row("a")], [row("a"), suspected("z")], { complete: false })).toEqual([]);
    expect(newlyFlagged([row("a")], [suspected("z"), row("a")], { complete: false })).toHaveLength(1);
  });
  it("says many changes in one sentence", () => {
    const changes = newlyFlagged([], [suspected("a"), suspected("b"), row("c"), row("d")]);
    expect(changesText(changes, true)).toBe("4 studies scored, 2 suspected");
  });
  it("cuts the list where the band changes", () =>
    expect(
      groupByBand([suspected("a"), suspected("b"), row("c")]).map((group) => [group.band, group.rows.length]),
    ).toEqual([
      ["suspected", 2],
      ["not_suspected", 1],
    ]));
  it("shows a study once when it moved between two pages", () =>
    expect(
      mergePages([
        [row("a"), row("b")],
        [row("b"), row("c")],
      ]).map((one) => one.study_uid),
    ).toEqual(["a", "b", "c"]));
});

describe("a selected study that is gone", () => {
  it("is said with its reader and with what is selected instead", () => {
    expect(goneText(row("a"), "Ruth Okafor", row("b"))).toEqual({
      title: "P-a read by Ruth Okafor.",
      detail: "P-b is selected now.",
    });
  });
  it("is not called read where nobody read it", () => {
    expect(goneText(row("a"), "", null)).toEqual({
      title: "P-a is not in this list any more.",
      detail: "Nothing is selected.",
    });
  });
});
