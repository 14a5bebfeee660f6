import { beforeEach, describe, expect, it } from "vitest";
import { ListTable } from "../../src/worklist/table";
import type { Row } from "../../src/worklist/types";
import { options, row, suspected } from "./sample-rows";

describe("the table", () => {
  let table: ListTable;
  const uids = () =>
    [...document.querySelectorAll<HTMLElement>("tr[data-uid]")].map((element) => element.dataset["uid"]);
  const show = (rows: Row[]) => table.show(rows, options, { more: false, anchored: false });

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
