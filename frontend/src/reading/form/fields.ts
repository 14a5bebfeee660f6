/** Fields of a form that are neither a grade nor a switch: answers in words, numbers and texts. */

import { h, pick } from "../../common/dom";
import { capNames, keyCap } from "../../common/keymap";
import type { Action } from "../answer/findings";
import { type Field, kindOf, type Rule } from "../answer/schema";

export interface FieldRow {
  name: string;
  element: HTMLElement;
  draw: (value: unknown, shown: boolean) => void;
}

interface FieldHost {
  act: (action: Action) => void;
  release: () => void;
}

interface Control {
  element: HTMLElement;
  draw: (value: unknown) => void;
}

/** A menu of options. Its values are indices into `oneOf`, since an option may be a number or null. */
function choice(name: string, { oneOf = [] }: Rule, { act, release }: FieldHost): Control {
  const select = h(
    "select",
    { id: name },
    ...oneOf.map((option, at) => h("option", { value: at, title: option.description ?? "" }, option.title)),
  );
  select.addEventListener("change", () => {
    act({ type: "choice", field: name, value: oneOf[Number(select.value)]?.const ?? null });
    release();
  });
  return {
    element: h("span", { class: "field" }, select),
    draw: (value) => pick(select, String(oneOf.findIndex((option) => option.const === value))),
  };
}

function number(name: string, { minimum, maximum, type }: Rule, { act }: FieldHost): Control {
  const step = type?.includes("integer") ? 1 : "any";
  const input = h("input", { id: name, class: "field", type: "number", min: minimum ?? "", max: maximum ?? "", step });
  input.addEventListener("change", () =>
    act({ type: "set", field: name, value: input.value === "" ? null : Number(input.value) }),
  );
  return {
    element: input,
    draw: (value) => {
      input.value = String(value ?? "");
    },
  };
}

function text(name: string, { maxLength }: Rule, { act }: FieldHost): Control {
  const input = h("input", { id: name, class: "field", type: "text", maxlength: maxLength ?? 200 });
  input.addEventListener("input", () => act({ type: "set", field: name, value: input.value }));
  return {
    element: input,
    draw: (value) => {
      if (input.value !== value) input.value = String(value ?? "");
    },
  };
}

const CONTROLS = { choice, number, text };

export function fieldRow([name, rule]: Field, host: FieldHost): FieldRow {
  const kind = kindOf(rule);
  const control = CONTROLS[kind === "flag" ? "choice" : kind](name, rule, host);
  const key = rule["x-key"];
  const cap = key ? keyCap("Read", key.length === 1 ? key.toUpperCase() : capNames(key).join(" ")) : null;
  const element = h(
    "div",
    { class: "form-row" },
    h("label", { class: "label", for: name, title: rule.description ?? "" }, cap, rule.title ?? name),
    control.element,
  );
  return {
    name,
    element,
    draw: (value, shown) => {
      control.draw(value);
      element.hidden = !shown;
    },
  };
}
