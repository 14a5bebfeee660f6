/** Making a model the champion: asked with a reason, since every waiting study is scored again by it. */

import { polite } from "../common/announce";
import { api, reason } from "../common/api";
import { showBanner } from "../common/banner";
import { ask } from "../common/dialog";
import { h } from "../common/dom";
import type { Model } from "./types";

/** True once the model triages. */
export async function promote(model: Pick<Model, "id" | "name" | "trained_on_phantoms">): Promise<boolean> {
  const answer = await ask({
    title: `Promote ${model.name}?`,
    body: [
      h(
        "p",
        {},
        "It triages from now on. Studies that wait are scored again by it, and the list reorders as the scores come.",
      ),
      h("p", {}, "Earlier scores stay on record. The champion of now is kept and can be brought back here."),
      model.trained_on_phantoms
        ? h("p", { class: "strong" }, "It was trained on phantoms: its scores mean nothing for infants.")
        : null,
    ],
    confirm: "Promote",
    reasonLabel: "Reason, kept in the audit trail",
  });
  if (!answer.confirmed || !answer.reason) return false;
  try {
    await api.post(`/api/v1/models/${model.id}/promote/`, { reason: answer.reason });
    polite(`${model.name} is the champion`);
    return true;
  } catch (error) {
    showBanner({
      name: "promote",
      error: true,
      title: `${model.name} was not promoted. The champion is unchanged.`,
      detail: reason(error),
    });
    return false;
  }
}
