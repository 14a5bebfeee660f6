/**
 * The list on screen: keyed rows that move instead of being redrawn, one of them selected, by study and not by place.
 */

import { fill, reducedMotion } from "../common/dom";
import { groupByBand, neighbour } from "./changes";
import { bandRow, buildRow, headings, type ListOptions, rowText, tickRow } from "./rows";
import type { Row } from "./types";

const MOVE_MS = 180;

export class ListTable {
  rows: Row[] = [];
  selected: string | null = null;
  private options: ListOptions = { cap: 0, showProbability: true, aiDown: false };
  private readonly elements = new Map<string, HTMLTableRowElement>();
  private readonly drawn = new Map<string, string>();

  constructor(
    private readonly head: HTMLTableSectionElement,
    private readonly body: HTMLTableSectionElement,
    private readonly scroller: HTMLElement,
    private readonly changed: (row: Row | null) => void,
    /** The selected study is not in the list any more; the one beside it is selected instead. */
    private readonly gone: (gone: Row, selected: Row | null) => void = () => undefined,
  ) {}

  /** Show these rows. `anchored`: keep the selected one where it is on the screen. */
  show(rows: Row[], options: ListOptions, { more, anchored }: { more: boolean; anchored: boolean }): void {
    const focused = document.activeElement?.closest<HTMLElement>("tr[data-uid]")?.dataset["uid"] ?? null;
    const before = this.places();
    this.setOptions(options);
    const rowsBefore = this.rows;
    this.rows = rows;
    this.rebuild();
    this.arrange(more);
    this.keepSelection(rowsBefore);
    if (anchored) this.anchor(before);
    if (focused) this.focusAgain(focused);
    this.animateMoves(before);
  }

  private setOptions(options: ListOptions): void {
    if (JSON.stringify(options) === JSON.stringify(this.options)) return;
    this.options = options;
    this.drawn.clear();
    fill(this.head, headings(options));
  }

  private rebuild(): void {
    const present = new Set(this.rows.map((row) => row.study_uid));
    for (const [uid, element] of this.elements) {
      if (present.has(uid)) continue;
      element.remove();
      this.elements.delete(uid);
      this.drawn.delete(uid);
    }
    for (const row of this.rows) this.redraw(row);
  }

  private redraw(row: Row): void {
    const signature = JSON.stringify({ ...row, waiting_seconds: 0, thumbnails: 0 });
    const old = this.elements.get(row.study_uid);
    if (old && this.drawn.get(row.study_uid) === signature) {
      tickRow(old, row, this.options);
      return;
    }
    const element = old ? buildRow(row, this.options, old) : buildRow(row, this.options);
    this.elements.set(row.study_uid, element);
    this.drawn.set(row.study_uid, signature);
  }

  private tableRows(more: boolean): HTMLTableRowElement[] {
    const element = (row: Row) => this.elements.get(row.study_uid) as HTMLTableRowElement;
    const size = (rows: Row[], last: boolean) => `${rows.length}${more && last ? "+" : ""}`;
    const groups = groupByBand(this.rows);
    return groups.flatMap((group, index) => [
      bandRow(group.band, size(group.rows, index === groups.length - 1), this.options),
      ...group.rows.map(element),
    ]);
  }

  /** Move only what is out of place: a row that is taken out and put back loses the focus. */
  private arrange(more: boolean): void {
    for (const heading of this.body.querySelectorAll("tr.group")) heading.remove();
    let next: ChildNode | null = this.body.firstChild;
    for (const row of this.tableRows(more)) {
      if (row === next) next = next.nextSibling;
      else this.body.insertBefore(row, next);
    }
  }

  private places(): Map<string, number> {
    return new Map([...this.elements].map(([uid, element]) => [uid, element.getBoundingClientRect().top]));
  }

  private anchor(before: Map<string, number>): void {
    const was = this.selected === null ? undefined : before.get(this.selected);
    const now = this.selectedElement()?.getBoundingClientRect().top;
    if (was !== undefined && now !== undefined) this.scroller.scrollTop += now - was;
  }

  private animateMoves(before: Map<string, number>): void {
    if (reducedMotion() || document.hidden) return;
    const view = this.scroller.getBoundingClientRect();
    const moves = [...this.elements].map(([uid, element]) => ({
      element,
      now: element.getBoundingClientRect().top,
      was: before.get(uid),
    }));
    for (const { element, now, was } of moves) {
      if (was === undefined || Math.abs(was - now) < 2) continue;
      if (Math.max(was, now) < view.top || Math.min(was, now) > view.bottom) continue;
      element.animate([{ transform: `translateY(${was - now}px)` }, { transform: "none" }], {
        duration: MOVE_MS,
        easing: "ease-out",
      });
    }
  }

  /** By study; where that is gone the one beside it, and that is said. */
  private keepSelection(before: readonly Row[]): void {
    const { selected } = this;
    const still = this.selectedRow();
    if (still) return this.mark(still);
    const lost = before.find((row) => row.study_uid === selected);
    const instead = (selected === null ? null : neighbour(before, this.rows, selected)) ?? this.rows[0] ?? null;
    this.mark(instead);
    if (lost) this.gone(lost, instead);
  }

  private mark(row: Row | null): void {
    const old = this.selectedElement();
    old?.classList.remove("cur");
    old?.removeAttribute("aria-selected");
    old?.setAttribute("tabindex", "-1");
    this.selected = row?.study_uid ?? null;
    const element = this.selectedElement();
    element?.classList.add("cur");
    element?.setAttribute("aria-selected", "true");
    element?.setAttribute("tabindex", "0");
    // The wait has grown since the row was built.
    if (row) element?.setAttribute("aria-label", rowText(row, this.options));
    this.changed(row);
  }

  private focusAgain(uid: string): void {
    const element = this.elements.get(uid) ?? this.selectedElement();
    if (element && document.activeElement !== element) element.focus({ preventScroll: true });
  }

  selectedElement(): HTMLTableRowElement | null {
    return this.selected === null ? null : (this.elements.get(this.selected) ?? null);
  }

  selectedRow(): Row | null {
    return this.rows.find((row) => row.study_uid === this.selected) ?? null;
  }

  /** Select a study and bring it into view; false where it is not in the list. */
  select(uid: string, { focus = true } = {}): boolean {
    const row = this.rows.find((candidate) => candidate.study_uid === uid);
    if (!row) return false;
    this.mark(row);
    const element = this.selectedElement();
    if (focus) element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
    this.clearStickyHead(element);
    return true;
  }

  private clearStickyHead(element: HTMLElement | null): void {
    if (!element) return;
    const hidden = this.head.getBoundingClientRect().bottom - element.getBoundingClientRect().top;
    if (hidden > 0) this.scroller.scrollTop -= hidden;
  }

  /** Select the study `step` places further down; the ends hold. */
  move(step: number): void {
    const at = this.rows.findIndex((row) => row.study_uid === this.selected);
    const target = this.rows[Math.max(0, Math.min(this.rows.length - 1, at + step))];
    if (target) this.select(target.study_uid);
    if (at + step <= 0) this.scroller.scrollTop = 0;
  }

  /** Time has gone on for those that still wait. */
  tick(seconds: number): void {
    for (const row of this.rows) {
      if (row.status === "read") continue;
      row.waiting_seconds += seconds;
      const element = this.elements.get(row.study_uid);
      if (element) tickRow(element, row, this.options);
    }
  }
}
