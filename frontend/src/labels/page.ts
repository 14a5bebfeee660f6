/** Labels out as a file, and in from one: first a dry run with an answer per row, then for real. */

import type { ImportRowPayload, LabelImport } from "../api/schema";
import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { byId, type Child, fill, h, icon } from "../common/dom";
import { importTable, importTitle, takeInButton } from "../common/file-import";
import { count } from "../common/format";
import { bind } from "../common/keys";
import { errorMessage } from "../common/parts";

type Row = ImportRowPayload;

const WORDS: Record<Row["outcome"], string> = {
  new: "new",
  changed: "another answer than before",
  unchanged: "known already",
  refused: "refused",
};

function sign({ outcome, reason: why, positive }: Row): HTMLElement {
  if (outcome === "refused") return h("span", { class: "bad" }, icon("bad"), why);
  const verdict = positive === null ? "not said" : positive ? "positive" : "negative";
  return h("span", { class: "ok" }, icon("ok"), `${WORDS[outcome]}: ${verdict}`);
}

function report({ dry_run, counts, unused, rows, more }: LabelImport, file: File): Child[] {
  const fresh = (counts["new"] ?? 0) + (counts["changed"] ?? 0);
  const title = importTitle(file, dry_run);
  const counted = (Object.keys(WORDS) as Row["outcome"][])
    .filter((outcome) => counts[outcome])
    .map((outcome) => `${counts[outcome] ?? 0} ${WORDS[outcome]}`);
  return [
    h(
      "p",
      {},
      h("span", { class: "strong" }, title),
      h("span", { class: "dim" }, ` · ${counted.join(" · ") || "no rows"}`),
    ),
    unused.length
      ? h("p", { class: "small dim" }, `Columns that the schema does not know were left out: ${unused.join(", ")}.`)
      : null,
    importTable(
      title,
      "Study",
      rows.map((row) => ({
        line: row.line,
        subject: h("td", { class: "cut" }, row.study_uid),
        answer: sign(row),
      })),
    ),
    more ? h("p", { class: "small dim" }, `and ${count(more, "more row")}; those that need a look stand first`) : null,
    dry_run ? takeInButton(fresh, Boolean(counts["refused"]), () => void send(file, false)) : null,
  ];
}

async function send(file: File, dry: boolean): Promise<void> {
  const slot = byId("labels-report");
  const form = new FormData();
  form.append("file", file, file.name);
  form.append("dry_run", String(dry));
  form.append("confirmed", String(byId<HTMLInputElement>("confirmed").checked));
  form.append("key", byId<HTMLInputElement>("import-key").value);
  fill(slot, h("p", { class: "dim" }, dry ? "Trying the file" : "Taking the file in"));
  try {
    fill(slot, ...report(await api.post<LabelImport>("/api/v1/labels/import/", form), file));
    polite(dry ? "Trial finished. Nothing was changed yet" : "The file was taken in");
  } catch (error) {
    if (error instanceof ApiError && error.signedOut) return;
    fill(slot, errorMessage(`The file was not taken in. ${reason(error)}`));
  }
}

export function start(): void {
  const input = byId<HTMLInputElement>("labels-file");
  const identified = byId<HTMLInputElement>("identified");
  const why = byId<HTMLTextAreaElement>("reason");
  let last: File | null = null;
  byId("choose-labels").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    last = input.files?.[0] ?? null;
    input.value = "";
    if (last) void send(last, true);
  });
  byId("confirmed").addEventListener("change", () => last && void send(last, true));
  identified.addEventListener("change", () => {
    byId("why").hidden = !identified.checked;
    why.required = identified.checked;
    if (identified.checked) why.focus();
  });
  bind({ key: "f", label: "Choose a file", group: "Labels", run: () => input.click() });
}
