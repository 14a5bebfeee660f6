import { beforeEach, describe, expect, it } from "vitest";
import { ListTable } from "../../src/worklist/table";
import type { Row } from "../../src/worklist/types";
import { options, row, suspected } from "./sample-rows";

describe("the table", () => {
  let table: ListTable;
  let lost: string[];
  const uids = () =>
    [...document.querySelectorAll<HTMLElement>("tr[data-uid]")].map((element) => element.dataset["uid"]);
  const show = (rows: Row[]) => table.show(rows, options, { more: false, anchored: false });

  beforeEach(() => {
    document.body.innerHTML = '<div id="s"><table><thead id="h"></thead><tbody id="b"></tbody></table></div>';
    window.matchMedia = (() => ({ matches: true })) as unknown as typeof window.matchMedia;
    Element.prototype.scrollIntoView = () => undefined;
    const get = (id: string) => document.getElementById(id) as never;
    lost = [];
    table = new ListTable(
      get("h"),
      get("b"),
      get("s"),
      () => undefined,
      (gone, selected) => lost.push(`${gone.study_uid}, now ${selected?.study_uid}`),
    );
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
  it("selects the study below when the selected one is gone, and says which", () => {
    table.select("b");
    show([row("a"), row("c")]);
    expect([table.selected, lost]).toEqual(["c", ["b, now c"]]);
  });
  it("selects the study above when the last one is gone", () => {
    table.select("c");
    show([row("a"), row("b")]);
    expect(table.selected).toBe("b");
  });
  it("selects the nearest that is still there when several are gone", () => {
    table.select("b");
    show([row("a")]);
    expect([table.selected, lost]).toEqual(["a", ["b, now a"]]);
  });
  it("says nothing while the selected study is there", () => {
    table.select("b");
    show([row("b"), row("c")]);
    expect([table.selected, lost]).toEqual(["b", []]);
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
