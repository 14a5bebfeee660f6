/** After the commit: the reader's own answer first, then the model's, what it promised and what it achieved. */

import { type Child, h, icon, known, setPressed } from "../common/dom";
import { flagSign } from "../common/flag";
import { clock, duration, interval, probability, ratio } from "../common/format";
import { keyCap } from "../common/keymap";
import { pair } from "../common/parts";
import { heaviest, weightText } from "../viewer/attention/peaks";
import type { Clip } from "../viewer/types";
import { type Answer, summary } from "./answer/findings";
import type { PastScore, Score } from "./types";

const SHOWN = 5;
const cap = (label: string) => keyCap("After the commit", label);

export interface RevealHost {
  agree: (agree: boolean) => void;
  next: () => void;
  reopen: () => void;
  goTo: (sop: string, frame: number) => void;
  goToPeak: (step: 1 | -1) => void;
}

function ownRead(answer: Answer, at: string | null): HTMLElement[] {
  const rows = summary(answer).flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "strong" }, value)]);
  return [
    h(
      "div",
      { class: "line" },
      h("h2", { class: "h2" }, "Your read"),
      h("span", { class: "right small dim" }, at ? `committed ${clock(at, true) ?? ""}` : ""),
    ),
    h("dl", { class: "kv" }, ...rows),
  ];
}

function achievedText(score: Score): string | null {
  const achieved = score.operating_point?.achieved;
  const value = ratio(achieved?.sensitivity);
  const bounds = interval(achieved?.interval);
  return value && bounds ? `${value} (${bounds})` : value;
}

/**
 * The target in an operating point's name: "target_0.90" promises 0.90 on average, "target_0.90_pac" with confidence.
 */
export function promisedText(name: string | undefined): string | null {
  const [, target, sure] = /^target_(\d*\.\d+)(_pac)?$/.exec(name ?? "") ?? [];
  return target ? `${target}${sure ? ", with 90 % confidence" : ""}` : null;
}

function modelFacts(score: Score): HTMLElement {
  const point = score.operating_point;
  const scored = [clock(score.scored_at, true), score.seconds === null ? null : `in ${duration(score.seconds) ?? ""}`]
    .filter(Boolean)
    .join(", ");
  return h(
    "dl",
    { class: "kv" },
    pair(
      "Flagged at",
      point?.threshold === null || point?.threshold === undefined
        ? known(null)
        : `${point.threshold.toPrecision(2)} and above`,
    ),
    pair("Promised sensitivity", known(promisedText(point?.name))),
    pair("Achieved", known(achievedText(score))),
    pair("Specificity there", known(ratio(point?.achieved?.specificity))),
    pair("Scored", known(scored || null)),
  );
}

function promiseDetails(score: Score): HTMLElement {
  return h(
    "details",
    { class: "small dim" },
    h("summary", {}, "What the promise says"),
    h("p", {}, score.operating_point?.promise ?? "Nothing is promised at this point."),
  );
}

/** The model's flag and facts, or the reason why there is none. */
function modelCard(score: Score | null): HTMLElement[] {
  if (!score)
    return [
      h("h2", { class: "h2" }, "The model"),
      h("p", { class: "dim" }, "Its answer has not come to this page yet."),
    ];
  if (score.state === "pending")
    return [
      h("h2", { class: "h2" }, "The model"),
      h("p", { class: "dim" }, "Has not scored this study yet. Your read does not wait for it."),
    ];
  if (score.state === "blinded")
    return [
      h("h2", { class: "h2" }, "The model"),
      h(
        "p",
        { class: "dim" },
        "Hidden from you: this study is in your label queue, and you have not answered it there.",
      ),
    ];
  const named = [
    score.model ? `${score.model.name} ${score.model.version}` : "",
    score.revision ? `revision ${score.revision}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
  const value = probability(score.probability);
  return [
    h("div", { class: "line" }, h("h2", { class: "h2" }, "The model"), h("span", { class: "right small dim" }, named)),
    ...demoNotice(score),
    h(
      "div",
      { class: "line" },
      flagSign({ flag: score.flag, receiving: false }),
      h("span", { class: "right" }, value ? h("span", { class: "big" }, value) : null),
    ),
    ...(score.flag === "not_analysed" || score.flag === null
      ? [h("p", { class: "dim" }, score.flag_reason)]
      : [modelFacts(score), promiseDetails(score)]),
  ];
}

export function demoNotice(score: Score | null): HTMLElement[] {
  const warning = score?.model?.demo_warning;
  return warning ? [h("p", { class: "notice", "data-demo-warning": "" }, icon("info"), h("span", {}, warning))] : [];
}

/** The scores of earlier revisions and other model versions. */
function historyTable(score: Score | null): HTMLElement[] {
  const past = score?.history ?? [];
  if (past.length < 2) return [];
  const row = (entry: PastScore) => {
    const sign = flagSign({ flag: entry.flag, receiving: false });
    if (entry.flag_reason) sign.title = entry.flag_reason;
    return h(
      "tr",
      {},
      h("td", { class: "cut" }, entry.model ?? "none"),
      h("td", { class: "num" }, entry.revision),
      h("td", {}, sign),
      h("td", { class: "num" }, probability(entry.probability) ?? "–"),
      h("td", { class: "num" }, clock(entry.scored_at) ?? ""),
    );
  };
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Model"),
    h("th", { scope: "col", class: "num" }, "Rev."),
    h("th", { scope: "col" }, "Flag"),
    h("th", { scope: "col", class: "num" }, "Prob."),
    h("th", { scope: "col", class: "num" }, "At"),
  );
  return [
    h(
      "details",
      { class: "small", open: true },
      h("summary", { class: "h3" }, `Every score of this study (${past.length})`),
      h("table", { class: "table" }, h("thead", {}, head), h("tbody", {}, ...past.map(row))),
    ),
  ];
}

function attentionTable(score: Score | null, clips: readonly Clip[], host: RevealHost): HTMLElement[] {
  const top = heaviest(score?.attention ?? [], SHOWN);
  if (!top.length) return [];
  const rows = top.map(({ sop_uid, frame, weight }) => {
    const clip = clips.find((each) => each.sop_uid === sop_uid);
    const name = clip ? `${clip.number} ${clip.label}` : "another clip";
    const go = h(
      "button",
      {
        class: "link small",
        type: "button",
        "aria-label": `Go to ${name}, frame ${frame}`,
        onclick: () => host.goTo(sop_uid, frame),
      },
      "go",
    );
    return h(
      "tr",
      {},
      h("td", { class: "cut" }, name),
      h("td", { class: "num" }, frame),
      h("td", { class: "num" }, weightText(weight)),
      h("td", { class: "num" }, go),
    );
  });
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Clip"),
    h("th", { scope: "col", class: "num" }, "Frame"),
    h("th", { scope: "col", class: "num" }, "Weight"),
    h("th", { scope: "col", class: "num" }, "Go"),
  );
  const peak = (step: 1 | -1, key: string, name: string) =>
    h(
      "button",
      { class: "btn btn-quiet mini", type: "button", "aria-label": name, onclick: () => host.goToPeak(step) },
      cap(key),
    );
  return [
    h("hr", { class: "rule" }),
    h(
      "div",
      { class: "line" },
      h("h3", { class: "h3" }, "Frames with the most attention"),
      h(
        "span",
        { class: "right" },
        h("span", { class: "small dim" }, "heat map ", cap("T"), " "),
        peak(-1, "[", "Previous attention peak"),
        peak(1, "]", "Next attention peak"),
      ),
    ),
    h("table", { class: "table" }, h("thead", {}, head), h("tbody", {}, ...rows)),
    h(
      "p",
      { class: "small dim" },
      "Attention and heat map show what moved the score. They are neither a finding nor a place.",
    ),
  ];
}

export class Reveal {
  readonly element: HTMLElement;
  private readonly agree = h("button", { type: "button", "aria-pressed": "false" }, "Agree ", cap("A"));
  private readonly disagree = h("button", { type: "button", "aria-pressed": "false" }, "Disagree ", cap("D"));
  private readonly status = h("p", { class: "small dim", "data-status": "" });

  constructor(
    answer: Answer,
    at: string | null,
    readonly score: Score | null,
    clips: readonly Clip[],
    ahead: { queue: boolean; next: boolean },
    host: RevealHost,
    extras: readonly Child[] = [],
  ) {
    this.agree.addEventListener("click", () => host.agree(true));
    this.disagree.addEventListener("click", () => host.agree(false));
    const next = h(
      "button",
      { class: "btn btn-primary btn-lg btn-wide", type: "button", onclick: host.next },
      ahead.next || ahead.queue ? "Next study " : "Back to the list ",
      cap("Enter"),
    );
    this.element = h(
      "section",
      { class: "panel", "aria-label": "After your read", "data-reveal": "" },
      h(
        "div",
        { class: "scroll" },
        ...extras,
        ...ownRead(answer, at),
        h(
          "p",
          { class: "small dim line" },
          "Both versions are kept.",
          h("button", { class: "btn btn-quiet right-end", type: "button", onclick: host.reopen }, "Reopen ", cap("U")),
        ),
        ...(ahead.queue ? [] : [h("hr", { class: "rule" }), ...modelCard(score)]),
        ...attentionTable(score, clips, host),
        ...(ahead.queue ? [] : historyTable(score)),
      ),
      h(
        "div",
        { class: "foot stack" },
        ...(this.canAgree
          ? [
              h("h2", { class: "h3", id: "agreement" }, "Do you agree with the flag?"),
              h("div", { class: "seg tall", role: "group", "aria-labelledby": "agreement" }, this.agree, this.disagree),
            ]
          : []),
        next,
        this.status,
      ),
    );
  }

  /** Whether there is a flag to agree with. */
  get canAgree(): boolean {
    return this.score?.state === "scored" && (this.score.flag === "suspected" || this.score.flag === "not_suspected");
  }

  drawAgreement(agree: boolean | null): void {
    setPressed(this.agree, agree === true);
    setPressed(this.disagree, agree === false);
  }

  setStatus(text: string): void {
    this.status.textContent = text;
  }
}
