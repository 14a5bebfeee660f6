// @vitest-environment jsdom
import { expect, test, vi } from "vitest";
import type { QuarantineRow } from "../../src/api/schema";
import { fill, h } from "../../src/common/dom";
import { cells, sizeText } from "../../src/quarantine/row";

const ROW: QuarantineRow = {
  id: 7,
  state: "open",
  code: "not_dicom",
  reason: "This is not a DICOM file.",
  sender: "Ruth Okafor (STOW-RS)",
  source: "stow",
  address: "10.0.0.7",
  received_at: "2026-11-30T10:00:00Z",
  last_received_at: "2026-11-30T10:00:00Z",
  times: 3,
  path: "part 1",
  sop_uid: "",
  study_uid: "",
  patient_id: "",
  study_url: null,
  digest: "0".repeat(64),
  size: 2234,
  holding: "kept",
  holding_note: "Its bytes are kept.",
  settled_at: null,
  settled_by: "",
  settled_why: "",
  outcome: "",
  can_accept: true,
  can_discard: true,
  url: "/api/v1/quarantine/7/",
  download_url: "/api/v1/quarantine/7/download/",
};

function drawn(row: Partial<QuarantineRow>, act = vi.fn()): HTMLElement {
  const box = h("div");
  fill(box, ...cells({ ...ROW, ...row }, act));
  return box;
}

test("an open file with its bytes can be downloaded, accepted and discarded", () => {
  const buttons = [...drawn({}).querySelectorAll(".btn")].map((button) => button.textContent);
  expect(buttons).toEqual(["Download no. 7", "Accept no. 7", "Discard no. 7"]);
});

test("a record without bytes says why, and can only be discarded", () => {
  const box = drawn({
    holding: "no_room",
    holding_note: "No bytes: it was full.",
    download_url: null,
    can_accept: false,
  });
  expect([...box.querySelectorAll(".btn")].map((button) => button.textContent)).toEqual(["Discard no. 7"]);
  expect(box.textContent).toContain("No bytes: it was full.");
});

test("a button tells which row and what", () => {
  const act = vi.fn();
  drawn({}, act).querySelector<HTMLElement>("[data-discard]")?.click();
  expect(act).toHaveBeenCalledWith(ROW, "discard");
});

test("a file that nobody could read says so", () => {
  expect(drawn({}).textContent).toContain("not readable");
  expect(drawn({ patient_id: "P1", sop_uid: "1.2.3" }).textContent).toContain("P11.2.3");
});

test("a file that came again says how often", () => {
  expect(drawn({}).textContent).toContain("no. 7 · 3 times");
  expect(drawn({ times: 1 }).textContent).not.toContain("time");
});

test.each([
  [null, "unknown size"],
  [1, "1 byte"],
  [2234, "2\u202f234 bytes"],
  [5_000_000, "5.0 MB"],
])("%s bytes", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
