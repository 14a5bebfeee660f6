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
