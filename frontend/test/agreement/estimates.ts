/** Estimates as tests make them up. */

import type { Estimate } from "../../src/agreement/types";

export const sure: Estimate = { value: 0.842, interval: [0.71, 0.93], n: 40, why: "" };
export const none: Estimate = { value: null, interval: null, n: 2, why: "not enough reads" };
