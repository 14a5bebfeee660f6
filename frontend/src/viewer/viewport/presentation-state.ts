/** Window, inversion, gamma and orientation of a clip, kept for each clip, so that it comes back as it was left. */

import { type Orientation, UPRIGHT } from "./orientation";

export interface Window {
  lower: number;
  upper: number;
}

export interface PresentationState {
  window: Window;
  inverted: boolean;
  /** Above 1 the middle greys are brighter; black and white stay. */
  gamma: number;
  orientation: Orientation;
}

export const DEFAULT_PRESENTATION: PresentationState = {
  window: { lower: 0, upper: 255 },
  inverted: false,
  gamma: 1,
  orientation: UPRIGHT,
};

export const WINDOWS: readonly (Window & { name: string })[] = [
  { name: "As acquired", lower: 0, upper: 255 },
  { name: "More contrast", lower: 30, upper: 190 },
  { name: "Dark detail", lower: 0, upper: 130 },
  { name: "Bright detail", lower: 80, upper: 255 },
];

export const GAMMAS = [0.5, 0.7, 0.85, 1, 1.2, 1.5, 2] as const;

/** The power that grey values from 0 to 1 are raised to. */
export function exponent({ gamma }: PresentationState): number {
  return 1 / gamma;
}

export function nextGamma(gamma: number, step: 1 | -1): number {
  const at = GAMMAS.findIndex((each) => each >= gamma);
  return GAMMAS[Math.max(0, Math.min(GAMMAS.length - 1, (at < 0 ? GAMMAS.length - 1 : at) + step))] ?? 1;
}

const KEY = "fontanelle.looks";
const MAX_STATES = 500;

/** Kept for as long as the tab lives: a reload loses nothing, the next person at this machine sees nothing. */
export class PresentationStates {
  private readonly states: Map<string, PresentationState>;

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem"> = sessionStorage) {
    this.states = new Map(parse(storage.getItem(KEY)));
  }

  get(sop: string): PresentationState {
    return this.states.get(sop) ?? DEFAULT_PRESENTATION;
  }

  set(sop: string, state: PresentationState): void {
    this.states.delete(sop);
    if (state !== DEFAULT_PRESENTATION) this.states.set(sop, state);
    const [oldest] = this.states.keys();
    if (this.states.size > MAX_STATES && oldest !== undefined) this.states.delete(oldest);
    try {
      this.storage.setItem(KEY, JSON.stringify([...this.states]));
    } catch {
      // A full store keeps them for this page only.
    }
  }
}

function parse(text: string | null): [string, PresentationState][] {
  try {
    return (JSON.parse(text ?? "[]") as [string, Partial<PresentationState>][]).map(([sop, state]) => [
      sop,
      { ...DEFAULT_PRESENTATION, ...state },
    ]);
  } catch {
    return [];
  }
}
