import { describe, expect, it } from "vitest";
import { detailOf, errorOf } from "../../src/common/api";

describe("errors", () => {
  it("give the server's sentence, or its fields", () => {
    expect(detailOf({ detail: "No.", code: "x" }, 400)).toBe("No.");
    expect(detailOf({ birth_weight_g: ["Ensure this value is at most 7000."] }, 400)).toBe(
      "birth weight g: Ensure this value is at most 7000.",
    );
    expect(detailOf({ into: ["No patient has that identifier."] }, 400)).toBe("No patient has that identifier.");
  });
  it("say something even where the server said nothing", () => expect(detailOf(null, 500)).toContain("500"));
  it("take a lost session for what it is, and a refusal for a refusal", () => {
    expect(errorOf(401, null).signedOut).toBe(true);
    expect(errorOf(403, { detail: "CSRF Failed: cookie missing" }).signedOut).toBe(true);
    expect(errorOf(403, { detail: "Your role does not open this." }).signedOut).toBe(false);
  });
  it("know what is worth another try", () =>
    expect(
      [0, 429, 502, 503, 504, 400, 409, 500, 507]
        .map((status) => errorOf(status, null))
        .map((error) => error.transient && error.status !== 507),
    ).toEqual([true, true, true, true, true, false, false, false, false]));
});
