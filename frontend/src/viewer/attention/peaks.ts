/** Attention per frame, shown after the commit only: weights by frame, peaks and their texts. */

import type { Weight } from "../types";

/** Weight by frame (from 1) of one clip. */
export function weightsOf(attention: readonly Weight[], sop: string): Map<number, number> {
  return new Map(attention.filter((entry) => entry.sop_uid === sop).map((entry) => [entry.frame, entry.weight]));
}

export function heaviest(attention: readonly Weight[], count: number): Weight[] {
  return [...attention].sort((a, b) => b.weight - a.weight).slice(0, count);
}

/**
 * Frames that stand out, heaviest first: at least as heavy as their scored neighbours in the clip and heavier than an
 * even share of the attention.
 */
export function peaks(attention: readonly Weight[], count = 8): Weight[] {
  const even = attention.length ? 1 / attention.length : 0;
  const clips = new Map<string, Weight[]>();
  for (const entry of attention) clips.set(entry.sop_uid, [...(clips.get(entry.sop_uid) ?? []), entry]);
  const standing: Weight[] = [];
  for (const entries of clips.values()) {
    entries.sort((a, b) => a.frame - b.frame);
    entries.forEach((entry, at) => {
      const before = entries[at - 1]?.weight ?? -1;
      const after = entries[at + 1]?.weight ?? -1;
      if (entry.weight > even && entry.weight > before && entry.weight >= after) standing.push(entry);
    });
  }
  return heaviest(standing.length ? standing : attention, count);
}

export function weightText(weight: number): string {
  return weight > 0 && weight < 0.005 ? "<0.01" : weight.toFixed(2);
}
