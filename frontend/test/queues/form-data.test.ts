import { describe, expect, it } from "vitest";
import { decode, queueRequest } from "../../src/queues/form-data";

function filled(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries({ name: "Q", source: "filter", ...fields })) form.append(name, value);
  return form;
}

describe("a new queue as it is asked for", () => {
  it("sends the fields of its source alone", () => {
    expect(queueRequest(filled({ uids: "1.2.3", weeks_from: "24" }))).toMatchObject({
      source: "filter",
      filter: { weeks_from: 24 },
    });
    expect(queueRequest(filled({ source: "list", uids: "1.2.3" }))).not.toHaveProperty("filter");
  });

  it("takes shares in per cent, and no number for all", () => {
    expect(queueRequest(filled({ gold: "5", repeats: "10", count: "0" }))).toMatchObject({
      gold: 0.05,
      repeats: 0.1,
      count: null,
    });
  });

  it("knows three answers about the mastoid view", () => {
    const values = ["", "yes", "no"].map((mastoid) => queueRequest(filled({ mastoid })).filter?.["mastoid"]);
    expect(values).toEqual([null, true, false]);
  });

  it("reads UTF-8 and UTF-16 and says of anything else that it cannot", () => {
    const bytes = (...values: number[]) => new Uint8Array(values).buffer;
    expect([decode(bytes(0x31, 0x2e)), decode(bytes(0xff, 0xfe, 0x31, 0)), decode(bytes(0xe4, 0x31))]).toEqual([
      "1.",
      "1",
      null,
    ]);
  });
});
