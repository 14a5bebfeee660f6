/** Playing: the keys and what they do with the active pane, or with all that move. */

import { polite } from "../../common/announce";
import type { Binding } from "../../common/keys";
import { Together } from "../cine/cine";
import { speedBeside, speedName } from "../cine/cine-bar";
import type { Pane } from "./pane";

export interface Players {
  active: () => Pane;
  every: () => readonly Pane[];
}

const group = "Viewer";

/** Every moving clip on the screen from its start at one moment, each at its own time. */
function playTogether(players: Players): void {
  const moving = players.every().filter((pane) => pane.movable);
  if (moving.some((pane) => pane.playing)) {
    for (const pane of moving) pane.pause();
    return;
  }
  const together = new Together(moving.map((pane) => pane.cine));
  for (const pane of moving) {
    pane.touring = false;
    pane.play(together);
  }
  polite(`${moving.length} clips play together`);
}

function faster(pane: Pane, step: 1 | -1): void {
  const speed = speedBeside(pane.cine.playback.speed, step);
  pane.setPlayback({ speed });
  polite(`Speed ${speedName(speed)}`);
}

function toAndFro(pane: Pane): void {
  const pingPong = !pane.cine.playback.pingPong;
  pane.setPlayback({ pingPong });
  polite(pingPong ? "To and fro" : "Round");
}

function loop(pane: Pane, end: "first" | "last" | null): void {
  pane.loop(end);
  const range = pane.cine.playback.range;
  polite(range ? `Loop over frames ${range[0] + 1} to ${range[1] + 1}` : "Whole clip");
}

export function cineKeys(players: Players): Binding[] {
  const { active } = players;
  // The slider's own arrows, Home and End do the same and keep its semantics.
  const off = (event: Event, run: () => void) =>
    event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement ? false : void run();
  const key = (name: string, label: string, run: (event: KeyboardEvent) => unknown): Binding => ({
    key: name,
    label,
    group,
    bar: false,
    run,
  });
  return [
    { key: "Space", label: "Play", group, run: () => active().toggle() },
    { key: "ArrowLeft", caps: ["←", "→"], label: "Frame", group, run: (event) => off(event, () => active().step(-1)) },
    key("ArrowRight", "Next frame", (event) => off(event, () => active().step(1))),
    key("Home", "First frame", (event) => off(event, () => active().go(1))),
    key("End", "Last frame", (event) => off(event, () => active().go(Infinity))),
    { ...key("Shift+Space", "Play all together", () => playTogether(players)), when: () => players.every().length > 1 },
    key(",", "Slower", () => faster(active(), -1)),
    key(".", "Faster", () => faster(active(), 1)),
    key("e", "To and fro", () => toAndFro(active())),
    key("Shift+Home", "Loop from this frame", () => loop(active(), "first")),
    key("Shift+End", "Loop to this frame", () => loop(active(), "last")),
    key("Shift+Delete", "Loop the whole clip", () => loop(active(), null)),
  ];
}
