/** What operating points mean at a site's prevalence: predictive values, and how many studies are flagged. */

import type { PointInUse, SitePrevalence } from "../api/schema";
import { csvButton, dataTable, type Sheet } from "../common/charts";
import { h } from "../common/dom";
import { count, interval, number, percent, ratio } from "../common/format";
import { card, scrollRegion } from "../common/parts";
import { POINT_NAMES, type Report } from "./report";

export interface InUse {
  prevalence: SitePrevalence;
  points: Record<string, PointInUse>;
  /** Studies a day; null where it does not matter yet. */
  perDay: number | null;
}

/** How the prevalence is known, in words. */
export function prevalenceWords({ share, source, interval: ends, studies, believed }: SitePrevalence): string {
  if (source === "setting") return `${percent(share, 1)} of studies with haemorrhage, the site's setting`;
  const counted = `${percent(share, 1)} (${interval(ends) ?? "–"}), from ${number(studies)} studies read without a gap`;
  return believed ? counted : `${counted}: too few with haemorrhage to calibrate a model to`;
}

function alerts({ flagged }: PointInUse, perDay: number | null): string {
  return perDay === null ? `${number(100 * flagged, 0)} of 100` : number(perDay * flagged, 1);
}

/** A table of the points, with a CSV of its numbers. */
export function inUseCard({ prevalence, points, perDay }: InUse, report: Report, name: string): HTMLElement {
  const columns = [
    { label: "Operating point" },
    { label: "Sensitivity", num: true },
    { label: "Specificity", num: true },
    { label: "PPV", num: true },
    { label: "NPV", num: true },
    { label: perDay === null ? "Flagged" : "Flagged a day", num: true },
  ];
  const rows = Object.entries(points).map(([key, point]) => {
    const measured = report.operating_points?.[key];
    return [
      POINT_NAMES[key] ?? key,
      ratio(measured?.sensitivity.pooled) ?? "–",
      ratio(measured?.specificity.pooled) ?? "–",
      ratio(point.ppv) ?? "–",
      ratio(point.npv, 3) ?? "–",
      alerts(point, perDay),
    ];
  });
  const sheet = (): Sheet => ({
    filename: `${name}-in-use.csv`,
    columns: ["operating_point", "prevalence", "ppv", "npv", "flagged_share", "studies_per_day"],
    rows: Object.entries(points).map(([key, { ppv, npv, flagged }]) => [
      key,
      prevalence.share,
      ppv,
      npv,
      flagged,
      perDay,
    ]),
  });
  return card(
    { title: "In use at this site", note: prevalenceWords(prevalence), right: [csvButton("In use", sheet)] },
    scrollRegion("body overflow-x", "Operating points in use", dataTable("Operating points in use", columns, rows)),
  );
}

/** What stands in its place where nobody knows the prevalence. */
export function unknownPrevalence(): HTMLElement {
  const words =
    "The share of this site's studies with haemorrhage is not known, so that predictive values and alerts a day are " +
    "not stated. The setting SITE_PREVALENCE names it; days on which every study is read estimate it.";
  return h("p", { class: "dim" }, words);
}

/** Labelled studies that production would not analyse, and what that takes from the sensitivity; null without any. */
export function leftOutNote(report: Report): HTMLElement | null {
  const left = report.left_out ?? [];
  if (!left.length) return null;
  const positives = left.filter((study) => study.positive).length;
  const all = ratio(report.sensitivity_of_all?.["target_0.90"]);
  const studies = count(left.length, "labelled study", "labelled studies");
  const over = `sensitivity at target 0.90 over all positives is ${all ?? "–"}`;
  const missed = positives ? ` Positive ones among them count as missed (${positives}): ${over}.` : "";
  return h("p", { class: "notice" }, `${studies} could not be analysed and neither trained nor measured.${missed}`);
}

/** Which studies set thresholds and are reported on, where not all do; null where they are all alike. */
export function unbiasedNote({ unbiased }: Report): HTMLElement | null {
  if (!unbiased) return null;
  const { studies, positives, of, promises, needed } = unbiased;
  const counted = `${number(studies)} of ${number(of)} studies (${number(positives)} positive)`;
  const share = `${counted} were drawn at random or read without a gap.`;
  const least = `${needed} positive and ${needed} negative infants are needed`;
  const words = promises
    ? `${share} They alone calibrate, set thresholds and are reported on; all were fitted on.`
    : `${share} Too few to promise a sensitivity: ${least}. Figures go by all labels.`;
  return h("p", { class: promises ? "small dim" : "notice" }, words);
}

/** How many of the readers' key frames taught the model where to look; null without any. */
export function keyframesNote({ keyframes }: Report): HTMLElement | null {
  if (!keyframes?.marked) return null;
  const { marked, taught, reach } = keyframes;
  const others = `the others lie more than ${reach} frames from any frame that it looks at`;
  const words = `${number(taught)} of ${number(marked)} key frames taught the model where to look: ${others}.`;
  return h("p", { class: "small dim" }, words);
}
