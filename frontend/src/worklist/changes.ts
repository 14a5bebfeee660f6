/** What differs between two states of the list, in words; pure, so that it can be tested without a page. */

import { ordinal, probability } from "../common/format";
import type { Band, Row } from "./types";

export interface Change {
  row: Row;
  /** Place in the list, counted from 1. */
  place: number;
  suspected: boolean;
}

/**
 * Studies whose flag is new since the last look: just scored, scored again, or arrived with a score. Where only the
 * first pages were loaded then, an unknown study below them was there all along.
 */
export function newlyFlagged(before: readonly Row[], after: readonly Row[], { complete = true } = {}): Change[] {
  const known = new Map(before.map((row) => [row.study_uid, row]));
  return after
    .map((row, index) => ({ row, place: index + 1, suspected: row.flag === "suspected" }))
    .filter(({ row, place }) => {
      if (row.flag === null || row.status !== "waiting") return false;
      const old = known.get(row.study_uid);
      return old ? old.flag !== row.flag : complete || place <= before.length;
    });
}

const FLAG_WORDS = { suspected: "suspected", not_suspected: "not suspected", not_analysed: "not analysed" } as const;

/** "P-20419 suspected, 0.88, now 4th". */
export function changeText({ row, place }: Change, showProbability: boolean): string {
  const flag = row.flag ? FLAG_WORDS[row.flag] : "not scored";
  const value = showProbability ? probability(row.probability) : null;
  return [`${row.patient_id} ${flag}`, value, `now ${ordinal(place)}`].filter(Boolean).join(", ");
}

/** One sentence per change, or one for all of them where they are too many to listen to. */
export function changesText(changes: readonly Change[], showProbability: boolean): string {
  if (changes.length <= 3) return changes.map((change) => changeText(change, showProbability)).join(". ");
  const suspected = changes.filter((change) => change.suspected);
  return `${changes.length} studies scored, ${suspected.length} suspected`;
}

/** The study beside one that is gone: the next one below it that is still there, else the nearest above. */
export function neighbour(before: readonly Row[], after: readonly Row[], gone: string): Row | null {
  const at = before.findIndex((row) => row.study_uid === gone);
  if (at < 0) return null;
  const still = new Map(after.map((row) => [row.study_uid, row]));
  const nearest = [...before.slice(at + 1), ...before.slice(0, at).reverse()].find((row) => still.has(row.study_uid));
  return (nearest && still.get(nearest.study_uid)) ?? null;
}

/** "P-20419 read by Dr Ruth Okafor." and what is selected instead. */
export function goneText(gone: Row, readBy: string, selected: Row | null): { title: string; detail: string } {
  const name = gone.patient_id || "The study";
  return {
    title: readBy ? `${name} read by ${readBy}.` : `${name} is not in this list any more.`,
    detail: selected ? `${selected.patient_id || "The study beside it"} is selected now.` : "Nothing is selected.",
  };
}

export interface Group {
  band: Band;
  rows: Row[];
}

/** The rows cut where the band changes; the server has already put them in order. */
export function groupByBand(rows: readonly Row[]): Group[] {
  const groups: Group[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.band === row.band) last.rows.push(row);
    else groups.push({ band: row.band, rows: [row] });
  }
  return groups;
}

/** The server's pages without a study twice: one that moved up between two requests is met again further down. */
export function mergePages(pages: readonly (readonly Row[])[]): Row[] {
  const seen = new Set<string>();
  return pages.flat().filter((row) => !seen.has(row.study_uid) && seen.add(row.study_uid));
}
