/** What a frame says, short and for people: `1:i=25`, `online`, `tx 3 queued, 29 free`. Nothing where its name says it all. */
import type { ChannelEntry } from "../../protocol/channel.ts";
import { type CommandName, commandByCode, type RequestOf, type ResponseOf } from "../../protocol/commands.ts";
import { formatDateTime } from "../../protocol/datetime.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { decodeRequest, decodeResponse, frameProblem } from "../../protocol/frame.ts";
import { valueJson } from "../../protocol/message.ts";
import { products, statuses, statusMeanings } from "../../protocol/status.ts";
import { oneLine } from "./log.ts";

type Words<N extends CommandName> = {
  readonly request: (request: RequestOf<N>) => string;
  readonly answer: (answer: ResponseOf<N>) => string;
};

const nothing = (): string => "";
const plain = { request: nothing, answer: nothing };
const peek = { request: nothing, answer: received };

/** A command without its words does not compile. */
const words: { readonly [N in CommandName]: Words<N> } = {
  GET_CONNECTION_STATUS: {
    request: nothing,
    answer: ({ online, lastError }) =>
      `${online ? "online" : "offline"}${lastError === "none" ? "" : `, last error ${lastError}`}`,
  },
  GET_SIGNAL_QUALITY: { request: nothing, answer: (signal) => `signal ${signal}` },
  GET_DATETIME: { request: nothing, answer: (ms) => formatDateTime(Number(ms)) },
  ECHO_BACK: { request: count, answer: count },
  READ_ADC: { request: (pin) => `pin ${pin}`, answer: (reading) => `reads ${reading}` },
  TX_ENQUEUE: { request: ({ offset, ...entry }) => `${entryText(entry)}${offsetText(offset)}`, answer: nothing },
  TX_SENDIMMED: {
    request: ({ channels, offset }) => `${channels.map(entryText).join(" ")}${offsetText(offset)}`,
    answer: nothing,
  },
  TX_LENGTH: { request: nothing, answer: ({ queued, available }) => `tx ${queued} queued, ${available} free` },
  TX_CLEAR: plain,
  TX_SEND: plain,
  TX_STAT: { request: nothing, answer: ({ queue, immediate }) => `queue ${queue}, immediate ${immediate}` },
  RX_DEQUEUE: peek,
  RX_PEEK: peek,
  RX_LENGTH: { request: nothing, answer: ({ queued, available }) => `rx ${queued} queued, ${available} free` },
  RX_CLEAR: plain,
  START_FILE_DOWNLOAD: { request: (id) => `file ${id}`, answer: nothing },
  GET_FILE_METADATA: {
    request: nothing,
    answer: ({ status, size, timestamp, crc32 }) =>
      status === "ok"
        ? `${size} bytes, CRC-32 ${crc32.toString(16).padStart(8, "0")}, ${formatDateTime(Number(timestamp))}`
        : status,
  },
  GET_FILE_DOWNLOAD_STATUS: { request: nothing, answer: ({ status, received }) => `${status}, ${received} bytes` },
  CANCEL_FILE_DOWNLOAD: plain,
  GET_FILE_DATA: { request: (most) => `${most} bytes at most`, answer: count },
  GET_PRODUCT_ID: { request: nothing, answer: (id) => products.nameOf(id) },
  GET_UNIQUE_ID: { request: nothing, answer: oneLine },
  GET_FIRMWARE_VERSION: { request: nothing, answer: oneLine },
  UNLOCK: plain,
  UPDATE_FIRMWARE: plain,
  GET_UPDATE_FIRMWARE_STATUS: {
    request: nothing,
    answer: ({ inProgress, result }) => (inProgress ? "in progress" : result),
  },
  SOFTWARE_RESET: plain,
  SET_POWER_SAVE_MODE: { request: (mode) => mode, answer: nothing },
  GET_POWER_SAVE_MODE: { request: nothing, answer: (mode) => mode },
};

/** What a request asks for; what is wrong with it, as the module will see it, where it is no good one. */
export function requestMeaning(frame: Uint8Array): string {
  const decoded = decodeRequest(frame);
  if (!decoded.ok) return problemText(frame) ?? statusMeanings[decoded.status];
  return inWords(decoded.name, "request", decoded.request);
}

/** @param to the request that it answers, where that is known */
export function answerMeaning(frame: Uint8Array, to: Uint8Array | undefined): string {
  const problem = problemText(frame);
  if (problem !== undefined) return problem;
  const status = statuses.nameOf(frame[0] ?? 0);
  if (status !== "NONE") return Object.entries(statusMeanings).find(([name]) => name === status)?.[1] ?? "";
  const name = to && commandByCode(to[0] ?? 0);
  if (name === undefined) return "";
  try {
    return inWords(name, "answer", decodeResponse(name, frame));
  } catch (error) {
    if (isSakuraError(error, "INVALID_PAYLOAD")) return `does not fit ${name}`;
    throw error;
  }
}

function inWords<N extends CommandName>(name: N, side: "request", value: RequestOf<N>): string;
function inWords<N extends CommandName>(name: N, side: "answer", value: ResponseOf<N>): string;
function inWords<N extends CommandName>(name: N, side: keyof Words<N>, value: RequestOf<N> & ResponseOf<N>): string {
  const of: Words<N> = words[name];
  return of[side](value);
}

function problemText(frame: Uint8Array): string | undefined {
  const problem = frameProblem(frame);
  return problem === undefined ? undefined : `damaged: wrong ${problem}`;
}

function count(bytes: Uint8Array): string {
  return `${bytes.length} byte${bytes.length === 1 ? "" : "s"}`;
}

/** As the command line takes it. */
function entryText(entry: ChannelEntry): string {
  const { channel, type, value } = entry;
  const shown = typeof value === "number" && !Number.isFinite(value) ? `${value}` : valueJson(entry);
  return `${channel}:${type}=${shown.replaceAll('"', "")}`;
}

function offsetText(offset: bigint | undefined): string {
  return offset === undefined || offset === 0n ? "" : `, offset ${offset} ms`;
}

function received({ offset, ...entry }: ResponseOf<"RX_DEQUEUE">): string {
  return `${entryText(entry)}${offsetText(offset)}`;
}
