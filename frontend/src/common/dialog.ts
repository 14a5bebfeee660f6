/** Questions before something that is hard to take back. */

import { type Child, cap, h } from "./dom";

export interface Question {
  title: string;
  body: Child[];
  confirm: string;
  cancel?: string;
  stop?: boolean;
  /** Asks for a reason, which must not be empty. */
  reasonLabel?: string;
}

export interface Answer {
  confirmed: boolean;
  reason: string;
}

let serial = 0;

/** Ask, and resolve with the answer; Esc is no. Focus returns to where it was. */
export function ask(question: Question): Promise<Answer> {
  serial += 1;
  const id = `ask-${serial}`;
  const reason = question.reasonLabel
    ? h("textarea", { class: "field", id: `${id}-reason`, rows: 3, required: true, maxlength: 500 })
    : null;
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": `${id}-title` },
    h(
      "form",
      { method: "dialog", class: "stack-4" },
      h("h2", { class: "h2", id: `${id}-title` }, question.title),
      h("div", { class: "stack" }, ...question.body),
      reason
        ? h(
            "div",
            { class: "stack" },
            h("label", { class: "label", for: `${id}-reason` }, question.reasonLabel ?? ""),
            reason,
          )
        : null,
      h(
        "div",
        { class: "line dialog-actions" },
        h(
          "button",
          { class: "btn", type: "button", autofocus: !reason, onclick: () => dialog.close("no") },
          question.cancel ?? "Cancel",
          " ",
          cap("Esc"),
        ),
        h(
          "button",
          { class: question.stop ? "btn btn-stop" : "btn btn-primary", type: "submit", value: "yes" },
          question.confirm,
        ),
      ),
    ),
  );
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  reason?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve({ confirmed: dialog.returnValue === "yes", reason: reason?.value.trim() ?? "" });
    });
  });
}
