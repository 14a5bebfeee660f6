/** The question before a read that was committed earlier is opened again. */

import type { EarlierStudy } from "../../api/schema";
import type { Question } from "../../common/dialog";
import { h } from "../../common/dom";
import { clock } from "../../common/format";

/** Names the infant, where the reader may know it, and the day: U was pressed on the study of another. */
export function earlierQuestion({ patient_id, day_of_life, committed_at, answered }: EarlierStudy): Question {
  const who = patient_id || "the study before this one";
  const day = day_of_life === null ? "" : `, day ${day_of_life}`;
  const at = clock(committed_at);
  return {
    title: `Open your read of ${who}${day}?`,
    body: [
      h("p", {}, `There is nothing to undo here. You committed that read${at ? ` at ${at}` : ""}: ${answered}.`),
      h("p", { class: "dim" }, "It counts as it is until you change something."),
    ],
    confirm: `Open ${who}${day}`,
    cancel: "Stay here",
  };
}
