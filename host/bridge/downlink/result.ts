/**
 * What the cloud is told of a downlink message, on the service's `result_topic` (aws-iot §5; the shape is a choice, in the
 * envelope of the platform's other messages):
 *
 *     {"module":"u0123456789a","type":"result","datetime":"2018-06-21T01:10:57.770Z",
 *      "payload":{"accepted":false,"reason":"rx-queue-full","message":"the RX queue is full","id":"order-17"}}
 *
 * `module` is null when the message names none that could be one. `id` is the message's own top-level `id`, where it has
 * one that is a whole number or a string of at most 128 characters, so that who sent it knows which it was. `reason` and
 * `message` are there when it was refused. All of it stays under 8 KiB, whatever came.
 */
import { type Json, parseJson } from "../../../protocol/json.ts";
import { moduleIdSchema } from "../../../protocol/message.ts";
import type { DownlinkRefusal } from "../events.ts";

/** What became of a downlink message. */
export type DownlinkOutcome =
  | { readonly accepted: true }
  | {
      readonly accepted: false;
      readonly reason: DownlinkRefusal;
      /** For people. */
      readonly message: string;
    };

/** A whole number or a short string, to be told back as it came. */
export type DownlinkId = string | number | bigint;

/** What a message says of itself, though it may be no downlink message. */
export interface DownlinkHead {
  readonly module: string | undefined;
  readonly id: DownlinkId | undefined;
}

const TEXT_MAX = 128;
const WORDS_MAX = 256;
/** A longer number is more than anybody counts with; and it is echoed. */
const INTEGER_MAX = 2n ** 64n;

/** @throws SakuraError INVALID_MESSAGE for what is no JSON */
export function parseHead(text: string): { readonly json: Json; readonly head: DownlinkHead } {
  const json = parseJson(text);
  const fields: { readonly [key: string]: Json } =
    typeof json === "object" && json !== null && !Array.isArray(json) ? json : {};
  const module = moduleIdSchema.safeParse(fields["module"]);
  const id = fields["id"];
  return {
    json,
    head: { module: module.success ? module.data : undefined, id: isId(id) ? id : undefined },
  };
}

export function encodeDownlinkResult(
  { module, id }: DownlinkHead,
  outcome: DownlinkOutcome,
  datetime: string,
): Uint8Array {
  const refusal = outcome.accepted
    ? ""
    : `,"reason":${JSON.stringify(outcome.reason)},"message":${JSON.stringify(shortened(outcome.message))}`;
  const tail = id === undefined ? "" : `,"id":${typeof id === "string" ? JSON.stringify(id) : id}`;
  return Buffer.from(
    `{"module":${JSON.stringify(module ?? null)},"type":"result","datetime":${JSON.stringify(datetime)},` +
      `"payload":{"accepted":${outcome.accepted}${refusal}${tail}}}`,
  );
}

function isId(value: unknown): value is DownlinkId {
  if (typeof value === "string") return value.length <= TEXT_MAX;
  if (typeof value === "bigint") return value < INTEGER_MAX && value > -INTEGER_MAX;
  return Number.isSafeInteger(value);
}

function shortened(words: string): string {
  return words.length <= WORDS_MAX ? words : `${words.slice(0, WORDS_MAX - 1)}…`;
}
