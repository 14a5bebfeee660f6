/**
 * How a picture is turned: mirrored first, then turned clockwise by quarters.
 * Every flip and turn is one of these eight.
 */

import type { Point } from "../annotation/measure";

export interface Orientation {
  quarter: number;
  mirrored: boolean;
}

export const UPRIGHT: Orientation = { quarter: 0, mirrored: false };

/** `[a, b, c, d, e, f]` as in CSS: x' = a x + c y + e, y' = b x + d y + f. */
export type Matrix = readonly [number, number, number, number, number, number];

export function isUpright({ quarter, mirrored }: Orientation): boolean {
  return !quarter && !mirrored;
}

export function turned({ quarter, mirrored }: Orientation, by: 1 | -1): Orientation {
  return { quarter: (quarter + by + 4) % 4, mirrored };
}

/** As it is seen on the screen, whatever was turned before. */
export function flipped({ quarter, mirrored }: Orientation, axis: "across" | "down"): Orientation {
  return { quarter: ((axis === "down" ? 2 : 0) + 4 - quarter) % 4, mirrored: !mirrored };
}

/** From a box of w × h pixels to the box on the screen, whose sides are swapped after one quarter or three. */
export function matrixOf({ quarter, mirrored }: Orientation, w: number, h: number): Matrix {
  const sx = mirrored ? -1 : 1;
  const tx = mirrored ? w : 0;
  if (quarter === 1) return [0, sx, -1, 0, h, tx];
  if (quarter === 2) return [-sx, 0, 0, -1, w - tx, h];
  if (quarter === 3) return [0, -sx, 1, 0, 0, w - tx];
  return [sx, 0, 0, 1, tx, 0];
}

export function applyMatrix([a, b, c, d, e, f]: Matrix, [x, y]: Point): [number, number] {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** The inverse of `applyMatrix`. */
export function applyInverse([a, b, c, d, e, f]: Matrix, [x, y]: Point): [number, number] {
  return [a * (x - e) + b * (y - f), c * (x - e) + d * (y - f)];
}

/** What stands at left, top, right and bottom of the screen, given what stands there in the picture itself. */
export function orientedSides<T>(
  { quarter, mirrored }: Orientation,
  [left, top, right, bottom]: readonly [T, T, T, T],
): [T, T, T, T] {
  const sides = mirrored ? [right, top, left, bottom] : [left, top, right, bottom];
  // A quarter clockwise brings what was at the left to the top.
  return [0, 1, 2, 3].map((at) => sides[(at + 4 - quarter) % 4]) as [T, T, T, T];
}

/** How the picture is turned, in words; empty where it is as acquired. */
export function orientationText({ quarter, mirrored }: Orientation): string {
  const turn = quarter === 2 ? "turned 180°" : quarter ? `turned ${quarter * 90}°` : "";
  if (!mirrored) return turn ? turn.charAt(0).toUpperCase() + turn.slice(1) : "";
  return quarter === 2 ? "Flipped top to bottom" : ["Flipped left to right", turn].filter(Boolean).join(", ");
}
