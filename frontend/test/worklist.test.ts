import { beforeEach, describe, expect, it } from "vitest";
import { changesText, changeText, groupByBand, mergePages, newlyFlagged } from "../src/worklist/changes";
import { buildRow, demoWarning } from "../src/worklist/rows";
import { ListTable } from "../src/worklist/table";
import type { Row } from "../src/worklist/types";

function row(uid: string, more: Partial<Row> = {}): Row {
  return {
    study_uid: uid,
    patient_id: `P-${uid}`,
    patient_name: "",
    status: "waiting",
    priority: "routine",
    flag: "not_suspected",
    flag_reason: "",
    probability: 0.02,
    revision: 1,
    waiting_seconds: 60,
    claimed_by: null,
    band: "not_suspected",
    gestational_age_days: null,
    day_of_life: null,
    postmenstrual_age_days: null,
    birth_weight_g: null,
    last_read: null,
    clips: 3,
    frames: 90,
    acquired_at: null,
    last_image_at: null,
    last_image_to_flag_seconds: null,
    phantom: true,
    model: null,
    why: "",
    thumbnails: [],
    ...more,
  };
}

const suspected = (uid: string) => row(uid, { flag: "suspected", probability: 0.88, band: "suspected" });
const look = { cap: 14_400, showProbability: true, aiDown: false };

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

describe("a row", () => {
  it("shows unknown as a dash and says it", () => {
    const cell = buildRow(row("a"), look).children[4]!;
    expect([cell.querySelector("[aria-hidden]")!.textContent, cell.querySelector(".vh")!.textContent]).toEqual([
      "–",
      "unknown",
    ]);
  });
  it("has no probability where a site hides it", () => {
    expect(buildRow(suspected("a"), { ...look, showProbability: false }).textContent).not.toContain("0.88");
  });
  it("warns of a model that knows phantoms only, except beside a phantom", () => {
    const model = { id: 1, name: "demo", demo_warning: "means nothing" };
    expect([demoWarning(row("a", { model, phantom: false })), demoWarning(row("a", { model }))]).toEqual([
      "means nothing",
      "",
    ]);
  });
  it("never reads text of a study as markup", () => {
    const element = buildRow(row("a", { patient_id: "<img src=x>" }), look);
    expect(element.querySelector("img")).toBeNull();
  });
});

describe("the table", () => {
  let table: ListTable;
  const uids = () =>
    [...document.querySelectorAll<HTMLElement>("tr[data-uid]")].map((element) => element.dataset["uid"]);
  const show = (rows: Row[]) => table.show(rows, look, { more: false, anchored: false });

  beforeEach(() => {
    document.body.innerHTML = '<div id="s"><table><thead id="h"></thead><tbody id="b"></tbody></table></div>';
    window.matchMedia = (() => ({ matches: true })) as unknown as typeof window.matchMedia;
    Element.prototype.scrollIntoView = () => undefined;
    const get = (id: string) => document.getElementById(id) as never;
    table = new ListTable(get("h"), get("b"), get("s"), () => undefined);
    show([row("a"), row("b"), row("c")]);
  });

  it("keeps the selected study selected and focused when it moves", () => {
    table.select("c");
    show([suspected("c"), row("a"), row("b")]);
    expect([uids(), table.selected, (document.activeElement as HTMLElement).dataset["uid"]]).toEqual([
      ["c", "a", "b"],
      "c",
      "c",
    ]);
  });
  it("moves the elements instead of building them again", () => {
    const before = document.querySelector('[data-uid="b"]');
    show([row("b"), row("a"), row("c")]);
    expect(document.querySelector('[data-uid="b"]')).toBe(before);
  });
  it("selects the first study when the selected one is gone", () => {
    table.select("b");
    show([row("a"), row("c")]);
    expect(table.selected).toBe("a");
  });
  it("holds at both ends", () => {
    table.move(-1);
    expect(table.selected).toBe("a");
    table.move(99);
    expect(table.selected).toBe("c");
  });
  it("lets exactly one row be reached by Tab", () => {
    table.select("b");
    expect(
      [...document.querySelectorAll('tr[tabindex="0"]')].map((element) => (element as HTMLElement).dataset["uid"]),
    ).toEqual(["b"]);
  });
});
