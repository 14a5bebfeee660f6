/** The claim on a study: taken when it is opened, renewed while it is read, released when the read was not changed. */

import { ApiError, api } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import type { Claim } from "./types";

/** A claim lapses after half an hour unless it is renewed. */
const RENEW_MS = 5 * 60_000;
const BANNER = "claimed";

export class StudyClaim {
  private claimed = false;
  private timer = 0;

  constructor(
    private readonly url: string,
    private readonly draw: (by: Claim["claimed_by"]) => void,
    /** Whether the study is still being read. */
    private readonly reading: () => boolean,
  ) {}

  async take(): Promise<void> {
    try {
      const { claimed_by } = await api.post<Claim>(this.url);
      this.claimed = claimed_by?.you ?? false;
      this.draw(claimed_by);
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void (this.reading() && this.take()), RENEW_MS);
    } catch (error) {
      if (error instanceof ApiError && error.code === "claimed") this.refused(error);
    }
  }

  /** Give the study back, where the claim is one's own. */
  release(): void {
    if (!this.claimed) return;
    this.claimed = false;
    void api.del(this.url, { keepalive: true }).catch(() => undefined);
  }

  close(): void {
    window.clearTimeout(this.timer);
    hideBanner(BANNER);
  }

  private refused(error: ApiError): void {
    const by = (error.body as Claim).claimed_by;
    this.draw(by);
    showBanner({
      name: BANNER,
      title: `${by?.display ?? "Somebody"} reads this study now.`,
      detail: "You can look at it. If you commit too, both reads are kept.",
    });
  }
}
