/** Everything that an emulated module knows, as data. */
import type { Clock, Uplink } from "../protocol/bus.ts";
import type { ChannelEntry } from "../protocol/channel.ts";
import type { ConnectionError, FileStatus, PowerSaveMode, TxState, UpdateResult } from "../protocol/status.ts";
import { choices, defaultIdentity } from "./choices.ts";
import { type FileSource, noFiles, type StoredFile } from "./files.ts";

/** What a firmware update will do when one is started. */
export interface UpdatePlan {
  readonly outcome: UpdateResult;
  /** The version after an update whose outcome is `ok`. */
  readonly version: string;
  readonly durationMs: number;
  /** Whether the module answers nothing at all while it updates. */
  readonly silent: boolean;
}

export interface EmulatedModuleOptions {
  /** The platform's module id; part of the topic. */
  readonly id?: string | undefined;
  /** The id printed on the module, 10 ASCII characters. */
  readonly uniqueId?: string | undefined;
  readonly firmware?: string | undefined;
  /** 1 SCM-LTE-BETA, 2 SCM-LTE-01, 3 SCM-LTE-01 Rev.B */
  readonly product?: number | undefined;
  /** Places of the TX and the RX queue, 1–255. */
  readonly txQueue?: number | undefined;
  readonly rxQueue?: number | undefined;
  /** Whether there is a network from the start. */
  readonly online?: boolean | undefined;
  /** 0 to 5. */
  readonly signal?: number | undefined;
  /** How long a send takes, in ms. */
  readonly sendTimeMs?: number | undefined;
  /** How long a reset takes to come online again, in ms. */
  readonly bootTimeMs?: number | undefined;
  /** How long a file's metadata takes, in ms. */
  readonly fileDelayMs?: number | undefined;
  readonly update?: Partial<UpdatePlan> | undefined;
  readonly files?: FileSource | undefined;
  readonly clock?: Clock | undefined;
  readonly uplink?: Uplink | undefined;
}

/** A value in the TX queue. Its number tells what a TX_SEND found in the queue from what came later. */
export interface QueuedEntry {
  readonly entry: ChannelEntry;
  /** RFC 3339: when it was enqueued, plus its offset. */
  readonly datetime: string;
  readonly number: number;
}

/** A value in the RX queue. */
export interface ReceivedEntry {
  readonly entry: ChannelEntry;
  readonly receivedAt: number;
}

export type Download =
  | { readonly kind: "none" }
  | { readonly kind: "requesting" }
  | { readonly kind: "receiving"; readonly file: StoredFile; readonly crc32: number; handedOut: number }
  /** Its last byte has been handed out; the metadata can still be read. */
  | { readonly kind: "finished"; readonly file: StoredFile; readonly crc32: number }
  | { readonly kind: "failed"; readonly status: FileStatus };

export interface ModuleState {
  readonly id: string;
  readonly uniqueId: string;
  firmware: string;
  product: number;

  /** Whether there is a network; the module is online when it also has its radio on and has booted. */
  network: boolean;
  booting: boolean;
  powerSave: PowerSaveMode;
  lastError: ConnectionError;
  /** 0 to 5. */
  signal: number;

  readonly txCapacity: number;
  readonly txQueue: QueuedEntry[];
  /** The number of the entry enqueued last. */
  enqueued: number;
  txState: TxState;
  immediateState: TxState;
  readonly rxCapacity: number;
  readonly rxQueue: ReceivedEntry[];

  download: Download;
  /** Unix time in ms until which UNLOCK holds. */
  unlockedUntil: number;
  update: { readonly inProgress: boolean; readonly result: UpdateResult };
  updatePlan: UpdatePlan;
  /** READ_ADC by pin. */
  readonly adc: Map<number, number>;

  sendTimeMs: number;
  bootTimeMs: number;
  fileDelayMs: number;
  files: FileSource;
  /** Counts resets: what was under way before one is over. */
  boots: number;
}

export function initialState(options: EmulatedModuleOptions): ModuleState {
  return {
    id: options.id ?? defaultIdentity.id,
    uniqueId: options.uniqueId ?? defaultIdentity.uniqueId,
    firmware: options.firmware ?? defaultIdentity.firmware,
    product: options.product ?? defaultIdentity.product,
    network: options.online ?? true,
    booting: false,
    powerSave: "disabled",
    lastError: options.online === false ? "out-of-service-area" : "none",
    signal: options.signal ?? 5,
    txCapacity: options.txQueue ?? choices.queueCapacity,
    txQueue: [],
    enqueued: 0,
    txState: "done",
    immediateState: "done",
    rxCapacity: options.rxQueue ?? choices.queueCapacity,
    rxQueue: [],
    download: { kind: "none" },
    unlockedUntil: Number.NEGATIVE_INFINITY,
    update: { inProgress: false, result: "ok" },
    updatePlan: {
      outcome: "already-up-to-date",
      version: "v1.4.5-000000-0000000",
      durationMs: choices.updateTimeMs,
      silent: false,
      ...options.update,
    },
    adc: new Map(),
    sendTimeMs: options.sendTimeMs ?? choices.sendTimeMs,
    bootTimeMs: options.bootTimeMs ?? choices.bootTimeMs,
    fileDelayMs: options.fileDelayMs ?? choices.fileDelayMs,
    files: options.files ?? noFiles,
    boots: 0,
  };
}

export function isOnline(state: ModuleState): boolean {
  return state.network && !state.booting && state.powerSave !== "rf-off";
}
