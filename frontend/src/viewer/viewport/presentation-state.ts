/** How a clip is looked at: kept for each clip, so that it comes back as it was left. */

import { type Orientation, UPRIGHT } from "./orientation";

export interface Window {
  lower: number;
  upper: number;
}

export interface Look {
  window: Window;
  inverted: boolean;
  /** Above 1 the middle greys are brighter; black and white stay. */
  gamma: number;
  orientation: Orientation;
}

export const PLAIN: Look = { window: { lower: 0, upper: 255 }, inverted: false, gamma: 1, orientation: UPRIGHT };

export const WINDOWS: readonly (Window & { name: string })[] = [
  { name: "As acquired", lower: 0, upper: 255 },
  { name: "More contrast", lower: 30, upper: 190 },
  { name: "Dark detail", lower: 0, upper: 130 },
  { name: "Bright detail", lower: 80, upper: 255 },
];

export const GAMMAS = [0.5, 0.7, 0.85, 1, 1.2, 1.5, 2] as const;

/** The power that grey values from 0 to 1 are raised to. */
export function exponent({ gamma }: Look): number {
  return 1 / gamma;
}

export function nextGamma(gamma: number, step: 1 | -1): number {
  const at = GAMMAS.findIndex((each) => each >= gamma);
  return GAMMAS[Math.max(0, Math.min(GAMMAS.length - 1, (at < 0 ? GAMMAS.length - 1 : at) + step))] ?? 1;
}

const KEY = "fontanelle.looks";
const MOST = 500;

/** Kept for as long as the tab lives: a reload loses nothing, the next person at this machine sees nothing. */
export class Looks {
  private readonly kept: Map<string, Look>;

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem"> = sessionStorage) {
    this.kept = new Map(parse(storage.getItem(KEY)));
  }

  of(sop: string): Look {
    return this.kept.get(sop) ?? PLAIN;
  }

  keep(sop: string, look: Look): void {
    this.kept.delete(sop);
    if (look !== PLAIN) this.kept.set(sop, look);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST && oldest !== undefined) this.kept.delete(oldest);
    try {
      this.storage.setItem(KEY, JSON.stringify([...this.kept]));
    } catch {
      // A full store keeps them for this page only.
    }
  }
}

function parse(text: string | null): [string, Look][] {
  try {
    return (JSON.parse(text ?? "[]") as [string, Partial<Look>][]).map(([sop, look]) => [sop, { ...PLAIN, ...look }]);
  } catch {
    return [];
  }
}
