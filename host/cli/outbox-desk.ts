/** A bridge's outbox as an operator handles it: through the bridge that runs, or the store of one that does not. */
import type { Json } from "../../protocol/json.ts";
import type { OutboxState } from "../bridge/index.ts";

export interface LaneStatus {
  readonly service: string;
  readonly waiting: number;
  readonly waitingBytes: number;
  /** RFC 3339; nothing when none waits. */
  readonly oldestAt?: string | undefined;
  readonly deadLetters: number;
}

export interface OutboxStatus {
  readonly state: OutboxState;
  readonly lanes: readonly LaneStatus[];
}

export interface LetterView {
  readonly id: string;
  readonly module: string;
  /** RFC 3339 */
  readonly setAsideAt: string;
  readonly reason: string;
  /** As it would be published; text where it is damaged. */
  readonly message: Json;
}

export interface OutboxDesk {
  status(): Promise<OutboxStatus>;
  /**
   * The oldest behind `after`, at most `limit`, up to 1000.
   * @throws SakuraError INVALID_ARGUMENT when there is no such service; so do the next two
   */
  deadLetters(
    service: string,
    page: { readonly after: string | undefined; readonly limit: number },
  ): Promise<readonly LetterView[]>;
  retry(service: string, ids: readonly string[] | "all"): Promise<number>;
  delete(service: string, ids: readonly string[] | "all"): Promise<number>;
  close(): Promise<void>;
}
