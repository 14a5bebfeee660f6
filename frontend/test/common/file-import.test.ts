import { describe, expect, it, vi } from "vitest";
import { h } from "../../src/common/dom";
import { importTable, takeInButton } from "../../src/common/file-import";

describe("a file import", () => {
  it("answers each row with its line", () => {
    const row = { line: 7, subject: h("td", {}, "P-1"), answer: h("span", {}, "refused") };
    const table = importTable("Trial", "Patient", [row]);
    expect([...table.querySelectorAll("tbody td")].map((cell) => cell.textContent)).toEqual(["7", "P-1", "refused"]);
  });
  it("takes in what was not refused, and says that the rest is left out", () => {
    const run = vi.fn();
    const line = takeInButton(2, true, run) as HTMLElement;
    line.querySelector("button")!.click();
    expect(run).toHaveBeenCalledOnce();
    expect(line.textContent).toBe("Take in 2 rowsThe refused rows are left out.");
  });
  it("has no button where nothing would be taken in", () => expect(takeInButton(0, true, () => undefined)).toBeNull());
});
