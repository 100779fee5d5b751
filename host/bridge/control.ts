/** What an operator sees and does while a bridge runs: the HTTP API, and the control panel, are made of this. */
import type { DownlinkMessage } from "../../protocol/message.ts";
import type { ServiceInput } from "../config/schema.ts";
import type { BridgeStats } from "./events.ts";
import type { DeadLetter } from "./outbox/outbox.ts";

/** A certificate, as far as it may be shown. */
export interface CertificateView {
  /** A path, `env:NAME`, or nothing when it stands in the file itself. */
  readonly from: string | undefined;
  readonly subject: string;
  readonly issuer: string;
  /** Unix ms. */
  readonly validFrom: number;
  readonly validTo: number;
  /** SHA-256, upper-case hex with colons. */
  readonly fingerprint: string;
}

/** A service as the file has it, its defaults filled in, without its key. */
export interface ServiceView extends Omit<ServiceInput, "rootca_cert" | "cert" | "private_key"> {
  /** The one in use: the file's, or the one that was made. */
  readonly clientId: string;
  readonly rootCa: CertificateView;
  readonly certificate: CertificateView;
  /** Where the key is, as {@link CertificateView.from}. */
  readonly privateKeyFrom: string | undefined;
}

/** What a changed file has changed in the bridge, by service name and module id. */
export interface ReloadReport {
  readonly services: { readonly added: string[]; readonly changed: string[]; readonly removed: string[] };
  readonly modules: { readonly added: string[]; readonly changed: string[]; readonly removed: string[] };
  /** Keys that take effect only at the next start, such as `outbox.path`. */
  readonly needsRestart: string[];
}

/** A downlink message that waits for its link. */
export interface WaitingDownlink {
  readonly service: string | undefined;
  readonly message: DownlinkMessage;
  /** Unix ms. */
  readonly since: number;
  /** When it is given up, Unix ms. */
  readonly until: number;
}

/** Its changes come one after the other, and reject with CLOSED once the bridge is. */
export interface BridgeControl {
  stats(): BridgeStats;
  services(): readonly ServiceView[];
  /**
   * Adds a service to the file and to the bridge.
   * @throws SakuraError INVALID_CONFIG with context.path and the reason, nothing having changed; FILE_FAILED when the
   *   file cannot be written
   */
  createService(fields: ServiceInput): Promise<void>;
  /**
   * Changes fields of a service, its name too, in the file and in the bridge; it connects again, and only it. A field
   * that is undefined here goes back to its default.
   * @throws as createService; INVALID_ARGUMENT when there is no such service
   */
  editService(
    name: string,
    changes: { readonly [K in keyof ServiceInput]?: ServiceInput[K] | undefined },
  ): Promise<void>;
  /**
   * Removes a service from the file and from the bridge. With `discard`, also what is kept of one that is gone already,
   * see `BridgeStats.orphans`.
   * @throws as editService; REFUSED, context.reason `messages-waiting`, when its outbox holds some and `discard` is false
   */
  removeService(name: string, options: { readonly discard: boolean }): Promise<void>;
  /** Has a service try again at once. @throws SakuraError INVALID_ARGUMENT when there is none of this name */
  retry(name: string): void;
  /**
   * Reads the file again, and changes what it changes. A service under another name is one that goes, and its messages
   * are kept, and one that comes.
   * @throws SakuraError INVALID_CONFIG, nothing having changed
   */
  reload(): Promise<ReloadReport>;
  /**
   * Brings a message down to a module, as one from a subscribe topic; resolves when the module has it.
   * @throws SakuraError REFUSED, context.reason a DownlinkRefusal
   */
  send(message: DownlinkMessage): Promise<void>;
  waitingDownlinks(): readonly WaitingDownlink[];
  /** @throws SakuraError INVALID_ARGUMENT when there is no such service; so do the next two */
  deadLetters(
    service: string,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly DeadLetter[]>;
  retryDeadLetters(service: string, ids: readonly string[] | "all"): Promise<number>;
  deleteDeadLetters(service: string, ids: readonly string[] | "all"): Promise<number>;
}
