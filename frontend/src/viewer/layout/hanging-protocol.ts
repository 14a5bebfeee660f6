/** Which clip hangs where when a study opens. Clips stay in the order of acquisition. */

import { type Clip, playable } from "../types";

type Hangable = Pick<Clip, "sop_uid" | "view" | "frames"> & Partial<Pick<Clip, "plane" | "kind">>;

/** The first sweep of these clips, the first still where there is none; the slices of a volume are no sweep. */
function firstSweep<C extends Hangable>(clips: readonly C[]): C | null {
  const sweeps = clips.filter((clip) => clip.frames > 1 && clip.kind !== "volume");
  return sweeps[0] ?? clips[0] ?? null;
}

/** Both parasagittals first, the right one before the left one; the midline shows no ventricle. */
const SAGITTAL_ORDER = ["right", "left", "", "midline"];

function sagittalRank({ frames, plane = "" }: Hangable): number {
  return (frames > 1 ? 0 : SAGITTAL_ORDER.length) + SAGITTAL_ORDER.indexOf(plane);
}

/**
 * The coronal sweep left, then both parasagittals; with one pane, or one view, the first sweep; further panes take what
 * is left, in the order of acquisition. What cannot be shown hangs only where nothing else does,
 * so that its reason is read.
 */
export function hangClips<C extends Hangable>(clips: readonly C[], panes: number): (C | null)[] {
  const shown = clips.filter(playable);
  const places = (placed: (C | null)[]) => Array.from({ length: panes }, (_, at) => placed[at] ?? null);
  if (!shown.length) return places([clips[0] ?? null]);
  const coronal = firstSweep(shown.filter((clip) => clip.view === "coronal"));
  const left = coronal ?? firstSweep(shown.filter((clip) => clip.view !== "sagittal")) ?? firstSweep(shown);
  const others = shown.filter((clip) => clip !== left);
  const sagittal = others.filter((clip) => clip.view === "sagittal").sort((a, b) => sagittalRank(a) - sagittalRank(b));
  const beside = sagittal.length ? sagittal.slice(0, 2) : [firstSweep(others)];
  return places([left, ...beside, ...others.filter((clip) => !beside.includes(clip))]);
}

/** Fill empty panes with clips that hang nowhere yet, in the order of acquisition. */
export function fillEmptyPanes<C extends Hangable>(clips: readonly C[], shown: readonly (C | null)[]): (C | null)[] {
  const free = clips.filter((clip) => playable(clip) && !shown.some((each) => each?.sop_uid === clip.sop_uid));
  return shown.map((clip) => clip ?? free.shift() ?? null);
}

/** The clip before or after this one; the ends hold. */
export function adjacentClip<C extends Hangable>(clips: readonly C[], current: C | null, step: 1 | -1): C | null {
  const at = clips.findIndex((clip) => clip.sop_uid === current?.sop_uid);
  return at < 0 ? (clips[0] ?? null) : (clips[at + step] ?? null);
}

/** The markers at the left and right edge of the picture; null where the view does not define them. */
export function edgeMarks(view: Clip["view"]): [string, string] | null {
  if (view === "coronal") return ["R", "L"];
  return view === "sagittal" ? ["A", "P"] : null;
}
