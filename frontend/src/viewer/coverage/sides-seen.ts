/** Which sides were looked at in a view. */

import type { Clip } from "../types";

export type Side = "right" | "left";
export const SIDES: readonly Side[] = ["right", "left"];

/**
 * The sides of the clips of that view which were seen. A mastoid clip without a named side stands for neither: through
 * one fontanelle one side is seen, and the screen does not tell which.
 */
export function sidesSeen(
  clips: readonly Pick<Clip, "sop_uid" | "view" | "plane">[],
  view: Clip["view"],
  seen: (sop: string) => boolean,
): Side[] {
  const planes = new Set(clips.filter((clip) => clip.view === view && seen(clip.sop_uid)).map((clip) => clip.plane));
  return SIDES.filter((side) => planes.has(side));
}
