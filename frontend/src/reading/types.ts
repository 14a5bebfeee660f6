/** What the server answers around a read. */

import type {
  BlindedScore,
  CarriedAnswer,
  CommittedRevision,
  DiscussionPayload,
  OtherRead as OtherReadAnswer,
  OwnRead,
  RevisionPayload,
  StudyReads,
  StudyScore,
  UnblindedItem,
} from "../api/schema";
import type { HeatMaps } from "../viewer/attention/heat-map";
import type { Findings } from "./answer/findings";
import type { SchemaVersion } from "./answer/schema";
import type { ServerDraft } from "./draft/draft-sync";

export type {
  ClaimAnswer as Claim,
  EarlierScore as PastScore,
  LabelQueuePayload as LabelQueue,
  QueueItemPayload as QueueItem,
  RemarkPayload as Remark,
  StudyLink as Next,
  TraineeFeedback as Feedback,
} from "../api/schema";

/** Who is blinded hears nothing but that. */
export type Score = Omit<StudyScore, "state" | "heat_maps"> & {
  state: StudyScore["state"] | BlindedScore["state"];
  heat_maps: HeatMaps | null;
};

/** Answers as this page types them: `Findings` knows the fields that every version of the label schema has. */
export type Revision = Omit<RevisionPayload, "findings"> & { findings: Findings };
export type Read = Omit<OwnRead, "draft" | "revisions"> & { draft: ServerDraft; revisions: Revision[] };
/** In a queue and in an adjudication the reader is a number. */
export type OtherRead = Omit<OtherReadAnswer, "revisions"> & { revisions: Revision[] };
export type Reads = Omit<StudyReads, "mine" | "others" | "schema"> & {
  mine: Read | null;
  others: OtherRead[];
  schema: SchemaVersion;
};
export type Discussion = Omit<DiscussionPayload, "unblinded"> & {
  unblinded: (Omit<UnblindedItem, "score"> & { score: Score }) | null;
};
export type Carried = Omit<CarriedAnswer, "findings" | "schema"> & { findings: Findings; schema: SchemaVersion };
/** A commit; an adjudication's and a retried one may say less of what comes next. */
export type Committed = Pick<CommittedRevision, "next" | "feedback"> & { reveal: Score | null } & Partial<
    Omit<CommittedRevision, "next" | "reveal" | "feedback">
  >;
