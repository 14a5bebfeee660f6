/** The coverage ribbon: which frames of a clip were on the screen, and which of them were dwelt on. */

import { fill, s } from "../../common/dom";
import { number } from "../../common/format";
import type { Coverage } from "./coverage";

const HEIGHT = 6;
/** Looked at for longer than this, a frame was dwelt on, not only passed. */
const DWELT_MS = 500;

/** Frames from `first` to `last` (from 1) of one kind. */
interface Run {
  first: number;
  last: number;
  kind: "unseen" | "seen" | "dwelt";
}

export function coverageRuns(frameMs: readonly (number | null)[]): Run[] {
  const runs: Run[] = [];
  frameMs.forEach((ms, index) => {
    const kind = ms === null ? "unseen" : ms >= DWELT_MS ? "dwelt" : "seen";
    const open = runs.at(-1);
    if (open?.kind === kind) open.last = index + 1;
    else runs.push({ first: index + 1, last: index + 1, kind });
  });
  return runs;
}

function runRect(run: Run): SVGRectElement {
  const thin = run.kind === "unseen";
  return s("rect", {
    class: run.kind,
    x: run.first - 1,
    y: thin ? 1.5 : 1,
    width: run.last - run.first + 1,
    height: thin ? 3 : 4,
  });
}

export class CoverageRibbon {
  readonly element = s("svg", { class: "cov", preserveAspectRatio: "none", role: "img" });
  private drawn = "";
  /** Frames with a keyframe or a drawing. */
  marks: readonly number[] = [];

  draw(coverage: Coverage, sop: string | undefined, frames: number): void {
    const times = sop === undefined ? [] : coverage.frameMs(sop);
    const runs = coverageRuns(times);
    const signature = `${sop ?? ""}${runs.map((run) => `${run.kind}${run.last}`).join()}|${this.marks.join()}`;
    if (signature === this.drawn) return;
    this.drawn = signature;
    const percent = sop === undefined ? 0 : Math.round(coverage.fraction(sop) * 100);
    this.element.setAttribute("viewBox", `0 0 ${Math.max(1, frames)} ${HEIGHT}`);
    const marked = this.marks.length ? `; marked: frame ${this.marks.join(", ")}` : "";
    this.element.setAttribute(
      "aria-label",
      `${percent} % of frames seen${sop === undefined ? "" : `, for ${number(coverage.ms(sop) / 1000)} s`}${marked}`,
    );
    fill(
      this.element,
      ...runs.map(runRect),
      ...this.marks.map((frame) =>
        s("rect", { class: "marked", x: frame - 0.5 - frames / 160, y: 0, width: frames / 80, height: HEIGHT }),
      ),
    );
  }
}
