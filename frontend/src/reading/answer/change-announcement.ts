/**
 * What a change of the answer was, for those who hear it:
 * of the form, and of what was drawn and marked in the pictures.
 */

import { nameOf } from "../../viewer/annotation/drawing";
import { describeDrawing } from "../../viewer/annotation/svg-layer";
import type { Clip } from "../../viewer/types";
import { type Form, type Keyframe, spoken } from "./findings";

type Named = Pick<Clip, "sop_uid" | "label" | "regions">;

export function changed(before: Form, after: Form, clips: readonly Named[]): string {
  return [spoken(before, after), ...keyframes(before, after, clips), ...drawings(before, after, clips)]
    .filter(Boolean)
    .join(", ");
}

function keyframes(before: Form, after: Form, clips: readonly Named[]): string[] {
  const [old, now] = [before.findings.keyframes ?? [], after.findings.keyframes ?? []];
  const has = (list: readonly Keyframe[], wanted: Keyframe) =>
    list.some(({ sop_uid, frame }) => sop_uid === wanted.sop_uid && frame === wanted.frame);
  const name = ({ sop_uid, frame }: Keyframe) =>
    `${clips.find((clip) => clip.sop_uid === sop_uid)?.label ?? "another clip"}, frame ${frame}`;
  const more = now.filter((each) => !has(old, each)).map((each) => `Keyframe: ${name(each)}`);
  return [...more, ...old.filter((each) => !has(now, each)).map((each) => `Keyframe taken away: ${name(each)}`)];
}

/** The number of what was drawn or moved, or why there is none. */
function drawings(before: Form, after: Form, clips: readonly Named[]): string[] {
  const [old, now] = [before.findings.drawings ?? [], after.findings.drawings ?? []];
  const regions = (sop: string) => clips.find((clip) => clip.sop_uid === sop)?.regions ?? [];
  const touched = now.filter((each) => !old.includes(each));
  const gone = old.filter(({ uid }) => !now.some((each) => each.uid === uid));
  return [
    ...touched.map((each) => describeDrawing(each, regions(each.sop_uid))),
    ...gone.map((each) => `${nameOf(each)} deleted`),
  ];
}
