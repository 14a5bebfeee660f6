/**
 * A change of the answer in words, for screen readers:
 * of the form, and of drawings and keyframes.
 */

import { nameOf } from "../../viewer/annotation/drawing";
import { describeDrawing } from "../../viewer/annotation/svg-layer";
import type { Clip } from "../../viewer/types";
import { describeFormChange, type Form, type Keyframe } from "./findings";

type NamedClip = Pick<Clip, "sop_uid" | "label" | "regions">;

export function describeChange(before: Form, after: Form, clips: readonly NamedClip[]): string {
  return [
    describeFormChange(before, after),
    ...keyframeChanges(before, after, clips),
    ...drawingChanges(before, after, clips),
  ]
    .filter(Boolean)
    .join(", ");
}

function keyframeChanges(before: Form, after: Form, clips: readonly NamedClip[]): string[] {
  const [old, current] = [before.findings.keyframes ?? [], after.findings.keyframes ?? []];
  const has = (list: readonly Keyframe[], keyframe: Keyframe) =>
    list.some(({ sop_uid, frame }) => sop_uid === keyframe.sop_uid && frame === keyframe.frame);
  const name = ({ sop_uid, frame }: Keyframe) =>
    `${clips.find((clip) => clip.sop_uid === sop_uid)?.label ?? "another clip"}, frame ${frame}`;
  const more = current.filter((each) => !has(old, each)).map((each) => `Keyframe: ${name(each)}`);
  return [...more, ...old.filter((each) => !has(current, each)).map((each) => `Keyframe taken away: ${name(each)}`)];
}

/** Each drawing that was added or changed with its value, each that was deleted. */
function drawingChanges(before: Form, after: Form, clips: readonly NamedClip[]): string[] {
  const [old, current] = [before.findings.drawings ?? [], after.findings.drawings ?? []];
  const regions = (sop: string) => clips.find((clip) => clip.sop_uid === sop)?.regions ?? [];
  const changed = current.filter((each) => !old.includes(each));
  const deleted = old.filter(({ uid }) => !current.some((each) => each.uid === uid));
  return [
    ...changed.map((each) => describeDrawing(each, regions(each.sop_uid))),
    ...deleted.map((each) => `${nameOf(each)} deleted`),
  ];
}
