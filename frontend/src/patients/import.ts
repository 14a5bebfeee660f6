/** Infant facts from a CSV: first a dry run with an answer per row, then for real. */

import type { ImportedRow, ImportResult } from "../api/schema";
import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { byId, type Child, fill, h, icon } from "../common/dom";
import { importTable, importTitle, takeInButton } from "../common/file-import";
import { count } from "../common/format";
import { errorMessage } from "../common/parts";

const IMPORT = "/api/v1/patients/import/";
const MOST_ROWS = 300;

const isRefused = (row: ImportedRow): boolean => row.outcome === "refused";

function sign(row: ImportedRow): HTMLElement {
  if (isRefused(row)) return h("span", { class: "bad" }, icon("bad"), row.reason);
  const changes = Object.entries(row.changes).map(
    ([name, value]) => `${name.replaceAll("_", " ")} ${value === "" ? "unknown" : String(value)}`,
  );
  return h("span", { class: "ok" }, icon("ok"), [row.outcome, changes.join(", ")].filter(Boolean).join(": "));
}

function report(answer: ImportResult, file: File): Child[] {
  const bad = answer.rows.filter(isRefused);
  const good = answer.rows.length - bad.length;
  const rows = [...bad, ...answer.rows.filter((row) => !isRefused(row))].slice(0, MOST_ROWS);
  const title = importTitle(file, answer.dry_run);
  return [
    h(
      "p",
      {},
      h("span", { class: "strong" }, title),
      h("span", { class: "dim" }, ` · ${count(good, "row")} fine, ${bad.length} refused`),
    ),
    importTable(
      title,
      "Patient",
      rows.map((row) => ({ line: row.line, subject: h("td", {}, row.patient_id), answer: sign(row) })),
    ),
    answer.rows.length > rows.length
      ? h("p", { class: "small dim" }, `and ${answer.rows.length - rows.length} more rows`)
      : null,
    answer.dry_run ? takeInButton(good, bad.length > 0, () => void send(file, false)) : null,
  ];
}

async function send(file: File, dry: boolean): Promise<void> {
  const slot = byId("import-report");
  const form = new FormData();
  form.append("file", file, file.name);
  form.append("dry_run", String(dry));
  fill(slot, h("p", { class: "dim" }, dry ? "Trying the file" : "Taking the file in"));
  try {
    const answer = await api.post<ImportResult>(IMPORT, form);
    fill(slot, ...report({ ...answer, dry_run: answer.dry_run ?? dry }, file));
    polite(dry ? "Trial finished. Nothing was changed yet" : "The file was taken in");
    if (!dry) document.dispatchEvent(new CustomEvent("patients-imported"));
  } catch (error) {
    if (error instanceof ApiError && error.signedOut) return;
    fill(slot, errorMessage(`The file was not taken in; nothing was changed. ${reason(error)}`));
  }
}

export function startImport(): void {
  const input = byId<HTMLInputElement>("import-file");
  byId("choose-csv").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    input.value = "";
    if (file) void send(file, true);
  });
}
