// @vitest-environment jsdom
import { expect, it } from "vitest";
import { earlierQuestion } from "../../../src/reading/draft/earlier-question";

const earlier = {
  study_uid: "1.2",
  url: "/studies/1.2/",
  patient_id: "P-20419",
  day_of_life: 3,
  committed_at: "2026-11-23T14:35:02Z",
  answered: "III left",
};

it("names the infant, the day and what was answered before another's read is opened", () => {
  const { title, body, confirm } = earlierQuestion(earlier);
  expect([title, confirm]).toEqual(["Open your read of P-20419, day 3?", "Open P-20419, day 3"]);
  expect((body[0] as HTMLElement).textContent).toMatch(/^There is nothing to undo here\..* at \d\d:\d\d: III left\.$/);
});

it("names nobody where the server names nobody", () => {
  expect(earlierQuestion({ ...earlier, patient_id: "", day_of_life: null }).title).toBe(
    "Open your read of the study before this one?",
  );
});
