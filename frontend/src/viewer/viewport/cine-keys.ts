/** Playing: the keys and what they do with the active pane, or with all that move. */

import { polite } from "../../common/announce";
import { type Binding, exceptInControls } from "../../common/keys";
import { CineGroup } from "../cine/cine";
import { nextSpeed, speedName } from "../cine/cine-bar";
import type { Pane } from "./pane";

export interface CineKeysHost {
  activePane: () => Pane;
  panes: () => readonly Pane[];
}

const group = "Viewer";

/** Every moving clip on the screen from its start at one moment, each at its own time. */
function playTogether(host: CineKeysHost): void {
  const moving = host.panes().filter((pane) => pane.movable);
  if (moving.some((pane) => pane.playing)) {
    for (const pane of moving) pane.pause();
    return;
  }
  const cineGroup = new CineGroup(moving.map((pane) => pane.cine));
  for (const pane of moving) pane.play(cineGroup);
  polite(`${moving.length} clips play together`);
}

function changeSpeed(pane: Pane, step: 1 | -1): void {
  const speed = nextSpeed(pane.cine.playback.speed, step);
  pane.setPlayback({ speed });
  polite(`Speed ${speedName(speed)}`);
}

function togglePingPong(pane: Pane): void {
  const pingPong = !pane.cine.playback.pingPong;
  pane.setPlayback({ pingPong });
  polite(pingPong ? "To and fro" : "Round");
}

function setLoop(pane: Pane, end: "first" | "last" | null): void {
  pane.loop(end);
  const range = pane.cine.playback.range;
  polite(range ? `Loop over frames ${range[0] + 1} to ${range[1] + 1}` : "Whole clip");
}

export function cineKeys(host: CineKeysHost): Binding[] {
  const { activePane } = host;
  const key = (name: string, label: string, run: (event: KeyboardEvent) => unknown): Binding => ({
    key: name,
    label,
    group,
    bar: false,
    run,
  });
  return [
    { key: "Space", label: "Play", group, run: () => activePane().toggle() },
    {
      key: "ArrowLeft",
      caps: ["←", "→"],
      label: "Frame",
      group,
      run: exceptInControls(() => activePane().step(-1)),
    },
    key(
      "ArrowRight",
      "Next frame",
      exceptInControls(() => activePane().step(1)),
    ),
    key(
      "Home",
      "First frame",
      exceptInControls(() => activePane().go(1)),
    ),
    key(
      "End",
      "Last frame",
      exceptInControls(() => activePane().go(Infinity)),
    ),
    { ...key("Shift+Space", "Play all together", () => playTogether(host)), when: () => host.panes().length > 1 },
    key(",", "Slower", () => changeSpeed(activePane(), -1)),
    key(".", "Faster", () => changeSpeed(activePane(), 1)),
    key("e", "To and fro", () => togglePingPong(activePane())),
    key("Shift+Home", "Loop from this frame", () => setLoop(activePane(), "first")),
    key("Shift+End", "Loop to this frame", () => setLoop(activePane(), "last")),
    key("Shift+Delete", "Loop the whole clip", () => setLoop(activePane(), null)),
  ];
}
