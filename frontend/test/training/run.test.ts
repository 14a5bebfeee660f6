import { describe, expect, it } from "vitest";
import { stepOf } from "../../src/training/run";

describe("a training run", () => {
  const fold = (state: "waiting" | "running" | "done") => ({ fold: 0, state, fraction: 0, auroc: null });
  it("stands at the step that its folds tell", () => {
    expect(stepOf("queued", [])).toBe(1);
    expect(stepOf("running", [])).toBe(2);
    expect(stepOf("running", [fold("done"), fold("running")])).toBe(3);
    expect(stepOf("running", [fold("done"), fold("done")])).toBe(4);
    expect(stepOf("done", [])).toBe(6);
  });
});
