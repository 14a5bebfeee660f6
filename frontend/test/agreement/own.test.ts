import { describe, expect, it } from "vitest";
import { ownCards } from "../../src/agreement/own";

describe("one's own figures", () => {
  it("say why there are none while a queue goes on", () => {
    const [, note] = ownCards({
      scope: "own",
      queues: [],
      studies: 0,
      questions: [],
      reader: null,
      trainee: null,
    }) as HTMLElement[];
    expect(note!.textContent).toContain("end with yesterday");
  });
});
