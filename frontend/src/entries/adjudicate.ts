import "../common/frame";
import { polite } from "../common/announce";
import { subscribe } from "../common/events";
import { bind } from "../common/keys";

const links = () => [...document.querySelectorAll<HTMLAnchorElement>("main section header a.btn")];

function move(step: number): void {
  const all = links();
  const at = all.indexOf(document.activeElement as HTMLAnchorElement);
  const target = all[Math.max(0, Math.min(all.length - 1, at + step))];
  target?.focus();
  target?.closest("section")?.scrollIntoView({ block: "nearest" });
}

const GROUP = "Adjudicate";
bind({ key: ["j", "ArrowDown"], caps: ["J", "K"], label: "Move", group: GROUP, run: () => move(1) });
bind({ key: ["k", "ArrowUp"], label: "Move up", group: GROUP, run: () => move(-1), bar: false });
bind({ key: "Enter", label: "Open and decide", group: GROUP, run: () => links()[0]?.click() });
subscribe(
  ["read"],
  (event) => event.kind === "read" && polite("A read was committed. Reload to see whether the list has changed"),
);
