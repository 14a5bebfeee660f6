/** Training runs and models as the server answers them. */

import type { ModelPayload, RunDetail, RunSummary, TrainingSnapshot } from "../api/schema";
import type { Report } from "../metrics/report";

export type {
  FoldProgress as FoldRow,
  RunProgress as Progress,
  RunStatus,
  TrainingPreflight as Preflight,
  TrainingSnapshot as Snapshot,
} from "../api/schema";

/** A model in a list, or what a run says of the one that it made. */
export type Model = Partial<Omit<ModelPayload, "id" | "name" | "report">> &
  Pick<ModelPayload, "id" | "name"> & { report?: Report };

/** A run in a list, or the whole of one. */
export type Run = Omit<RunSummary, "report" | "model" | "snapshot"> & {
  snapshot: TrainingSnapshot | null;
  report: Report | null;
  model: Model | RunDetail["model"] | number;
};
